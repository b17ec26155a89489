// Package phrase says what Shiplock says, in English and in Chinese.
//
// A Phrase that a Cause is made of has a code: Say words a code and its arguments
// in any language, and English is one of them, so the two cannot drift. All other
// text of ours is known by its English form, and In finds the Chinese for it.
//
// In a template, {name} is an argument; {name day|days} is a number and its noun;
// {@name} is an argument that is itself text of ours, such as a state. What stands
// between « and » is left out when an argument in it is missing or empty.
//
// What tools and apps print is evidence: it stays as it is, in every language.
package phrase
