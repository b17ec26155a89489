package delivery

// Cache is a folder that a build's tools keep from one build to the next. Their
// content must be safe to start from for any commit, as of tools that check what
// they find: by digest, or by version.
type Cache struct {
	Name string `json:"name"`
	// Path is relative to the HOME of the steps.
	Path string `json:"path"`
	// Keys are patterns of files, relative to the App's folder, whose content decides
	// whether a cache fits; without any, it always does.
	Keys []string `json:"keys,omitempty"`
}
