package image

import (
	"context"
	"encoding/json"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// PackageType is the artifactType of a package: a folder as one layer, without a
// base and without a configuration, as of the OCI image specification 1.1.
const PackageType = "application/vnd.shiplock.package.v1"

// emptyConfig is the OCI specification's configuration of what has none.
const (
	emptyConfig     = "{}"
	emptyConfigType = types.MediaType("application/vnd.oci.empty.v1+json")
)

// Package is a folder to push as it is.
type Package struct {
	Dir string
	// Dest is the repository to push to, with or without a tag.
	Dest string
	// Labels become the manifest's annotations.
	Labels map[string]string
}

// BuildPackage packs the folder and pushes it. Equal content and labels give equal
// digests. Errors are those of Build.
func (c *Client) BuildPackage(ctx context.Context, p Package) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := (Spec{Labels: p.Labels}).validate(); err != nil {
		return Result{}, err
	}
	dest, err := parseDestination(p.Dest)
	if err != nil {
		return Result{}, err
	}
	t, err := scanTree(p.Dir, "/")
	if err != nil {
		return Result{}, err
	}
	defer t.Close()
	start := time.Now()
	added, err := c.treeLayer(ctx, t)
	if err != nil {
		return Result{}, err
	}
	defer added.Close()
	platform, err := Spec{}.platform()
	if err != nil {
		return Result{}, err
	}
	conn, err := c.session(ctx, platform)
	if err != nil {
		return Result{}, err
	}
	packed := time.Now()
	artifact := p.assemble(added.id)
	unchanged, err := conn.push(ctx, dest, artifact, []v1.Layer{added})
	if err != nil {
		return Result{}, err
	}
	r := artifact.result(dest, added.id)
	r.Unchanged, r.Timings = unchanged, Timings{Layer: packed.Sub(start), Push: time.Since(packed)}
	return r, nil
}

// packageManifest is an image manifest with an artifactType.
type packageManifest struct {
	SchemaVersion int64             `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        v1.Descriptor     `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

func (p Package) assemble(added layerID) assembled {
	a := assembled{config: []byte(emptyConfig)}
	a.manifest = mustJSON(packageManifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: PackageType,
		Config:      v1.Descriptor{MediaType: emptyConfigType, Digest: hashOf(a.config), Size: int64(len(a.config))},
		Layers:      []v1.Descriptor{descriptor(added, "")},
		Annotations: p.Labels,
	})
	a.digest = hashOf(a.manifest)
	a.size = int64(len(a.manifest)) + int64(len(a.config)) + added.Size
	return a
}

// isPackage tells whether a manifest is a package's.
func isPackage(manifest []byte) bool {
	var m packageManifest
	return json.Unmarshal(manifest, &m) == nil && m.ArtifactType == PackageType
}
