package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	// baseName and baseDigest are annotations of the OCI image specification.
	baseName   = "org.opencontainers.image.base.name"
	baseDigest = "org.opencontainers.image.base.digest"
	// layerPaths is our annotation on a layer: everything in it is at or below
	// one of these comma-separated paths. It lets Unpack leave layers alone.
	layerPaths = "dev.shiplock.layer.paths"
)

// assembled is an image ready to push.
type assembled struct {
	config   []byte
	manifest []byte
	digest   v1.Hash
	size     int64
}

// RawManifest and MediaType make it something that a registry client can put.
func (a assembled) RawManifest() ([]byte, error)        { return a.manifest, nil }
func (a assembled) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

func (a assembled) result(dest destination, added layerID) Result {
	return Result{
		Ref:       dest.repo.Digest(a.digest.String()).String(),
		Digest:    a.digest.String(),
		Size:      a.size,
		Layer:     added.Digest.String(),
		LayerSize: added.Size,
	}
}

// assemble is the image of s: the base's layers and the added one.
func (s Spec) assemble(from *base, added layerID) assembled {
	annotations := maps.Clone(s.Labels)
	if annotations == nil {
		annotations = make(map[string]string)
	}
	annotations[baseName] = from.named
	annotations[baseDigest] = from.ref.DigestStr()

	layers := make([]v1.Descriptor, 0, len(from.manifest.Layers)+1)
	for _, d := range from.manifest.Layers {
		d.MediaType = ociLayerType(d.MediaType)
		layers = append(layers, d)
	}
	layers = append(layers, descriptor(added, strings.TrimPrefix(s.into(), "/")))
	return encode(s.config(from.config, added), layers, annotations)
}

func descriptor(id layerID, paths string) v1.Descriptor {
	d := v1.Descriptor{MediaType: types.OCILayer, Digest: id.Digest, Size: id.Size}
	if paths != "" {
		d.Annotations = map[string]string{layerPaths: paths}
	}
	return d
}

func encode(config *v1.ConfigFile, layers []v1.Descriptor, annotations map[string]string) assembled {
	a := assembled{config: mustJSON(config)}
	manifest := v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.OCIManifestSchema1,
		Config:        v1.Descriptor{MediaType: types.OCIConfigJSON, Digest: hashOf(a.config), Size: int64(len(a.config))},
		Layers:        layers,
		Annotations:   annotations,
	}
	a.manifest = mustJSON(manifest)
	a.digest = hashOf(a.manifest)
	a.size = int64(len(a.manifest)) + manifest.Config.Size
	for _, d := range layers {
		a.size += d.Size
	}
	return a
}

// config does to the base's configuration what the Dockerfile says.
func (s Spec) config(from *v1.ConfigFile, added layerID) *v1.ConfigFile {
	c := from.DeepCopy()
	created := v1.Time{Time: epoch}
	if !s.Created.IsZero() {
		created.Time = s.Created.UTC()
	}
	c.Created = created
	c.Author, c.Container, c.DockerVersion = "", "", ""
	c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, added.DiffID)
	for _, i := range s.instructions() {
		c.History = append(c.History, v1.History{Created: created, CreatedBy: i.String(), EmptyLayer: i.verb != "ADD"})
	}
	run := &c.Config
	run.OnBuild, run.Image, run.Hostname = nil, "", ""
	run.WorkingDir = s.into()
	run.Env = mergeEnv(run.Env, s.Env)
	for _, port := range s.Expose {
		if run.ExposedPorts == nil {
			run.ExposedPorts = make(map[string]struct{})
		}
		run.ExposedPorts[strconv.Itoa(port)+"/tcp"] = struct{}{}
	}
	if len(s.Labels) > 0 && run.Labels == nil {
		run.Labels = make(map[string]string)
	}
	maps.Copy(run.Labels, s.Labels)
	if s.User != "" {
		run.User = s.User
	}
	if len(s.Cmd) > 0 {
		run.Cmd, run.ArgsEscaped = slices.Clone(s.Cmd), false
	}
	return c
}

// mergeEnv sets each entry of set, in the place of an older one of its name.
func mergeEnv(env, set []string) []string {
	env = slices.Clone(env)
	for _, e := range set {
		name, _, _ := strings.Cut(e, "=")
		at := slices.IndexFunc(env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		if at < 0 {
			env = append(env, e)
		} else {
			env[at] = e
		}
	}
	return env
}

// ociLayerType is the OCI name of a Docker layer type: the bytes are the same.
func ociLayerType(t types.MediaType) types.MediaType {
	switch t {
	case types.DockerLayer:
		return types.OCILayer
	case types.DockerUncompressedLayer:
		return types.OCIUncompressedLayer
	case types.DockerForeignLayer:
		return types.OCIRestrictedLayer
	}
	return t
}

func hashOf(content []byte) v1.Hash {
	sum := sha256.Sum256(content)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

// mustJSON encodes values of our own types, which cannot fail to encode.
func mustJSON(v any) []byte {
	content, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err))
	}
	return content
}
