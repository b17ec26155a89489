package delivery

import "cmp"

// Object is what a command is about: an App in an Environment. An empty field is all
// of them, so the zero Object is the whole installation.
type Object struct {
	App string `json:"app,omitempty"`
	Env string `json:"env,omitempty"`
	// Team is the App's.
	Team string `json:"team,omitempty"`
	// Manual tells that the Environment is released to by hand only, as pre and prod
	// are.
	Manual bool `json:"manual,omitempty"`
	// Name is what people know the thing by, such as "shop#12".
	Name string `json:"name,omitempty"`
}

// On is an App in an Environment; either may be empty.
func On(app, env string) Object { return Object{App: app, Env: env} }

// Everything is the whole installation, called by what of it is meant.
func Everything(name string) Object { return Object{Name: name} }

// Called returns the object with the name of one thing in it.
func (o Object) Called(name string) Object {
	o.Name = name
	return o
}

func (o Object) String() string {
	place := o.App
	if o.Env != "" {
		place = TargetKey(cmp.Or(o.App, "*"), o.Env)
	}
	return cmp.Or(o.Name, place, "the installation")
}
