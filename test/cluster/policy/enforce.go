// Package policy has the kernel enforce NetworkPolicies.
//
// A pod gets its rules before its first program starts: the network plugin in
// ../cni waits for them. So a test need not wait until a policy is in force.
package policy

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// enforcer writes the kernel's table.
type enforcer struct {
	client kubernetes.Interface

	mu      sync.Mutex
	placed  map[string]Placement // by address: what the plugin said
	current string               // what the kernel has
}

// Placement says which pod got which address.
type Placement struct {
	Namespace, Name, Address string
}

// Enforce keeps the kernel's rules up to date until ctx ends.
func Enforce(ctx context.Context, client kubernetes.Interface) error {
	e := &enforcer{client: client, placed: make(map[string]Placement)}
	changed := make(chan struct{}, 1)
	factory := informers.NewSharedInformerFactory(client, 0)
	for _, informer := range []cache.SharedIndexInformer{
		factory.Core().V1().Pods().Informer(),
		factory.Core().V1().Namespaces().Informer(),
		factory.Networking().V1().NetworkPolicies().Informer(),
	} {
		note := func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		}
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { note() },
			UpdateFunc: func(_, _ any) { note() },
			DeleteFunc: func(any) { note() },
		}); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return e.serve(ctx) })
	g.Go(func() error { return e.follow(ctx, changed) })
	return g.Wait()
}

func (e *enforcer) follow(ctx context.Context, changed chan struct{}) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		if err := e.sync(ctx); err != nil && ctx.Err() == nil {
			log.Printf("network policies: %v", err)
			time.AfterFunc(time.Second, func() {
				select {
				case changed <- struct{}{}:
				default:
				}
			})
		}
	}
}

// place notes where a pod is, and returns when its rules are in force.
func (e *enforcer) place(ctx context.Context, p Placement) error {
	e.mu.Lock()
	maps.DeleteFunc(e.placed, func(_ string, old Placement) bool { return old.Namespace == p.Namespace && old.Name == p.Name })
	e.placed[p.Address] = p
	e.mu.Unlock()
	return e.sync(ctx)
}

// leave forgets an address, unless another pod has it by now.
func (e *enforcer) leave(p Placement) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.placed[p.Address] == p {
		delete(e.placed, p.Address)
	}
}

// sync reads everything from the API, not from what was watched, which may be late,
// and gives the kernel what follows.
func (e *enforcer) sync(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	w, err := e.read(ctx)
	if err != nil {
		return err
	}
	script, err := Ruleset(w)
	if err != nil || script == e.current {
		return err
	}
	nft := exec.CommandContext(ctx, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(script)
	if out, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w\n%s", err, out)
	}
	e.current = script
	return nil
}

func (e *enforcer) read(ctx context.Context) (World, error) {
	w := World{Namespaces: make(map[string]labels.Set)}
	namespaces, err := e.client.CoreV1().Namespaces().List(ctx, meta.ListOptions{})
	if err != nil {
		return w, err
	}
	pods, err := e.client.CoreV1().Pods("").List(ctx, meta.ListOptions{})
	if err != nil {
		return w, err
	}
	policies, err := e.client.NetworkingV1().NetworkPolicies("").List(ctx, meta.ListOptions{})
	if err != nil {
		return w, err
	}
	for _, n := range namespaces.Items {
		w.Namespaces[n.Name] = n.Labels
	}
	w.Policies = policies.Items
	w.Pods = locate(pods.Items, e.placed)
	return w, nil
}

// locate returns the pods that have an address, in its order: the address that the
// plugin told, or the one that the pod's status has.
func locate(pods []core.Pod, placed map[string]Placement) []Pod {
	byName := make(map[[2]string]string, len(placed))
	for _, p := range placed {
		byName[[2]string{p.Namespace, p.Name}] = p.Address
	}
	found := make(map[string]Pod)
	for _, p := range pods {
		if p.Spec.HostNetwork || p.Status.Phase == core.PodSucceeded || p.Status.Phase == core.PodFailed {
			continue
		}
		address := byName[[2]string{p.Namespace, p.Name}]
		if address == "" {
			address = p.Status.PodIP
		}
		if owner, ok := placed[address]; address == "" || ok && (owner.Namespace != p.Namespace || owner.Name != p.Name) {
			continue
		}
		found[address] = Pod{p.Namespace, p.Name, address, p.Labels, ports(p)}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Pod) int { return strings.Compare(a.Address, b.Address) })
}

func ports(p core.Pod) []core.ContainerPort {
	var all []core.ContainerPort
	for _, c := range p.Spec.Containers {
		all = append(all, c.Ports...)
	}
	return all
}

var errNoAddress = errors.New("a placement needs a namespace, a name and an address")
