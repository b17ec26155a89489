// Package checkup judges an installation by what was seen of it: what is well, what works
// and will not for ever, what does not, and what to mend. It looks at nothing itself.
package checkup
