// Package storage gives every claim of the cluster's storage class a directory of
// the machine. All access modes work, since there is one node.
package storage

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

const (
	// Class is the default storage class.
	Class = "local"
	// Provisioner is its provisioner.
	Provisioner = "shiplock.dev/directory"

	provisionedBy = "pv.kubernetes.io/provisioned-by"
)

// item is a claim (with a namespace) or a volume to look at.
type item = cache.ObjectName

// Provision makes volumes for claims, and deletes those that were released, until
// ctx ends.
func Provision(ctx context.Context, client kubernetes.Interface) error {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[item]())
	factory := informers.NewSharedInformerFactory(client, 0)
	for _, informer := range []cache.SharedIndexInformer{
		factory.Core().V1().PersistentVolumeClaims().Informer(),
		factory.Core().V1().PersistentVolumes().Informer(),
	} {
		add := func(o any) {
			if name, err := cache.ObjectToName(o); err == nil {
				queue.Add(name)
			}
		}
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: add, UpdateFunc: func(_, o any) { add(o) },
		}); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	defer context.AfterFunc(ctx, queue.ShutDown)()
	p := provisioner{client}
	for {
		next, shutdown := queue.Get()
		if shutdown {
			return nil
		}
		if err := p.look(ctx, next); err != nil {
			log.Printf("volume %s: %v", next, err)
			queue.AddRateLimited(next)
		} else {
			queue.Forget(next)
		}
		queue.Done(next)
	}
}

type provisioner struct{ client kubernetes.Interface }

func (p provisioner) look(ctx context.Context, name item) error {
	var err error
	if name.Namespace == "" {
		err = p.reclaim(ctx, name.Name)
	} else {
		err = p.provide(ctx, name)
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// provide makes a claim's directory and volume; Kubernetes binds them.
func (p provisioner) provide(ctx context.Context, name item) error {
	claim, err := p.client.CoreV1().PersistentVolumeClaims(name.Namespace).Get(ctx, name.Name, meta.GetOptions{})
	if err != nil {
		return err
	}
	if claim.Spec.StorageClassName == nil || *claim.Spec.StorageClassName != Class || claim.Spec.VolumeName != "" {
		return nil
	}
	v := volume(claim)
	if err := os.MkdirAll(v.Spec.HostPath.Path, 0o755); err != nil {
		return err
	}
	// A container of any user may write to it.
	if err := os.Chmod(v.Spec.HostPath.Path, 0o777); err != nil {
		return err
	}
	_, err = p.client.CoreV1().PersistentVolumes().Create(ctx, v, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func volume(claim *core.PersistentVolumeClaim) *core.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	kind := core.HostPathDirectory
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: Provisioner}},
		Spec: core.PersistentVolumeSpec{
			StorageClassName:              Class,
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			Capacity:                      core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			PersistentVolumeReclaimPolicy: core.PersistentVolumeReclaimDelete,
			PersistentVolumeSource: core.PersistentVolumeSource{
				HostPath: &core.HostPathVolumeSource{Path: filepath.Join(layout.Volumes, name), Type: &kind},
			},
			ClaimRef: &core.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
		},
	}
}

// reclaim deletes a volume of ours whose claim is gone, with its directory.
func (p provisioner) reclaim(ctx context.Context, name string) error {
	v, err := p.client.CoreV1().PersistentVolumes().Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return err
	}
	if v.Annotations[provisionedBy] != Provisioner || v.Status.Phase != core.VolumeReleased ||
		v.Spec.PersistentVolumeReclaimPolicy != core.PersistentVolumeReclaimDelete {
		return nil
	}
	if v.Spec.HostPath == nil || filepath.Dir(v.Spec.HostPath.Path) != layout.Volumes {
		return fmt.Errorf("%s is not in %s: not deleted", name, layout.Volumes)
	}
	return errors.Join(
		os.RemoveAll(v.Spec.HostPath.Path),
		p.client.CoreV1().PersistentVolumes().Delete(ctx, name, meta.DeleteOptions{}),
	)
}
