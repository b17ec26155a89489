// Package delivery is the domain of Shiplock: its nouns, its state machines and
// its policies. It is pure: no I/O, no clock, no context, no logging. Every
// function that depends on time takes it as an argument.
//
// A machine has two halves. Apply folds a fact (an event) into a state and
// refuses what the state does not allow. Next looks at a state and the facts
// loaded beside it and says which actions are due and when to look again. The
// engine does the actions; nothing here does.
package delivery
