package kube

import (
	"context"
	"errors"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// Watch keeps the objects of one resource in one namespace that the selectors fit.
type Watch[T Object] struct {
	store cache.Indexer
	run   cache.Controller

	// OnTrouble, when it is set before Run, is called when Trouble begins, and with nil
	// when it has ended.
	OnTrouble func(error)

	mu      sync.Mutex
	trouble error
}

// Selected says what to watch.
type Selected struct {
	// Group is the part of the API; its zero value is the core.
	Group               schema.GroupVersion
	Resource, Namespace string
	// Labels and Fields are selectors; "" selects all.
	Labels, Fields string
	// Index says, of an object, what Of finds it by; nil is nothing.
	Index func(Object) string
}

const byIndex = "index"

// Changes are called, one at a time, when the watch has seen one: before is the zero
// value of an object that is new, now of one that is gone.
type Changes[T Object] func(before, now T)

// NewWatch prepares a watch of objects like kind. Run must be called for it to see.
// What lean takes out of an object is not kept.
func NewWatch[T Object](c *Client, s Selected, kind T, lean func(T), changed Changes[T]) *Watch[T] {
	source := cache.NewFilteredListWatchFromClient(c.watched(s.Group), s.Resource, s.Namespace, func(o *metav1.ListOptions) {
		o.LabelSelector, o.FieldSelector = s.Labels, s.Fields
	})
	var none T
	w := &Watch[T]{}
	asked := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list, err := source.ListWithContext(ctx, o)
			return list, w.noted(err)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			news, err := source.WatchWithContext(ctx, o)
			return news, w.noted(err)
		},
	}
	indexers := cache.Indexers{}
	if s.Index != nil {
		indexers[byIndex] = func(o any) ([]string, error) { return []string{s.Index(o.(T))}, nil }
	}
	store, run := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: asked, ObjectType: kind, Indexers: indexers,
		Transform: func(o any) (any, error) {
			if t, ok := o.(T); ok {
				t.SetManagedFields(nil)
				lean(t)
			}
			return o, nil
		},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { changed(none, o.(T)) },
			UpdateFunc: func(before, now any) { changed(before.(T), now.(T)) },
			DeleteFunc: func(o any) {
				if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
					o = last.Obj // its last state was missed
				}
				if t, ok := o.(T); ok {
					changed(t, none)
				}
			},
		},
	})
	w.store, w.run = store.(cache.Indexer), run
	return w
}

// watched is the client of a group that this package knows.
func (c *Client) watched(gv schema.GroupVersion) cache.Getter {
	if gv.Empty() {
		return c.core
	}
	one, err := c.group(gv)
	if err != nil {
		panic("kube: " + err.Error()) // a program error: the configuration is the core's
	}
	return one
}

// Run watches until ctx ends. It begins anew by itself when the API server was away.
func (w *Watch[T]) Run(ctx context.Context) {
	w.run.RunWithContext(klog.NewContext(ctx, klog.Logger{})) // Trouble is for whoever watches to tell
}

// Synced tells whether all that was there at the beginning has been seen.
func (w *Watch[T]) Synced() bool { return w.run.HasSynced() }

// InSync is closed once Synced is true.
func (w *Watch[T]) InSync() <-chan struct{} { return w.run.HasSyncedChecker().Done() }

// noted keeps an error, or its end, for Trouble.
func (w *Watch[T]) noted(err error) error {
	w.mu.Lock()
	changed := (w.trouble == nil) != (err == nil)
	w.trouble = classify(err)
	now := w.trouble
	w.mu.Unlock()
	if changed && w.OnTrouble != nil && !errors.Is(err, context.Canceled) {
		w.OnTrouble(now)
	}
	return err
}

// Trouble is why the API server told nothing when it was last asked; nil when it did.
func (w *Watch[T]) Trouble() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trouble
}

// Get returns an object as it was last seen. It must not be changed.
func (w *Watch[T]) Get(namespace, name string) (t T, ok bool) {
	o, ok, err := w.store.GetByKey(namespace + "/" + name)
	if err != nil || !ok {
		return t, false
	}
	return o.(T), true
}

// Of returns the objects that the index finds by a value. They must not be changed.
func (w *Watch[T]) Of(value string) []T {
	list, err := w.store.ByIndex(byIndex, value)
	if err != nil {
		return nil // there is no index: nothing is found
	}
	all := make([]T, len(list))
	for i, o := range list {
		all[i] = o.(T)
	}
	return all
}

// All returns all objects as they were last seen. They must not be changed.
func (w *Watch[T]) All() []T {
	list := w.store.List()
	all := make([]T, len(list))
	for i, o := range list {
		all[i] = o.(T)
	}
	return all
}
