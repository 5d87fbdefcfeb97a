// Package ui holds the built workspace and the text catalogues inside the
// executable. The build of the workspace (npm run build) fills dist; without
// it dist is empty but for a placeholder, and the desk serves its API alone.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

//go:embed locales/*.json
var locales embed.FS

// Dist returns the built workspace: index.html, assets/ with hashed names, and
// .vite/manifest.json. It has no index.html before the first UI build.
func Dist() fs.FS { return sub(dist, "dist") }

// Locales returns the catalogues, one <language>.json each, as flat objects
// from key to ICU message.
func Locales() fs.FS { return sub(locales, "locales") }

// sub can't fail: the directory is embedded by name above.
func sub(files embed.FS, dir string) fs.FS {
	part, err := fs.Sub(files, dir)
	if err != nil {
		panic(err)
	}
	return part
}
