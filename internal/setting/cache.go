package setting

import (
	"encoding/json"
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

// cacheKey is where an app keeps its cache in its own store.
const cacheKey = "deskbell.settings"

// cache holds the stored values as of a version; every committed change makes
// a new version, so that a reader who was slow can't bring back old values.
type cache struct {
	mu      sync.RWMutex
	version int
	values  map[string]json.RawMessage   // nil when they have to be read; never changed in place
	open    map[*core.TxAppInfo]struct{} // transactions that changed a setting and run still
}

func cacheOf(app core.App) *cache {
	return app.Store().GetOrSet(cacheKey, func() any {
		return &cache{open: map[*core.TxAppInfo]struct{}{}}
	}).(*cache)
}

// stored returns the values that have a row, as app sees them.
func stored(app core.App) map[string]json.RawMessage {
	c := cacheOf(app)
	values, version, own := c.get(app.TxInfo())
	if own {
		return load(app)
	}
	if values == nil {
		values = load(app)
		c.put(values, version)
	}
	return values
}

// load reads the rows; without them all settings are at their defaults.
func load(app core.App) map[string]json.RawMessage {
	values, err := readAll(app)
	if err != nil {
		app.Logger().Error("settings can't be read, the defaults count", "error", err)
		return nil
	}
	return values
}

// get answers the values kept, nil for none; own tells that the transaction tx
// has changes that nobody else sees yet.
func (c *cache) get(tx *core.TxAppInfo) (values map[string]json.RawMessage, version int, own bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, own = c.open[tx]
	return c.values, c.version, own
}

func (c *cache) put(values map[string]json.RawMessage, version int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version == c.version {
		c.values = values
	}
}

func (c *cache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version++
	c.values = nil
}

// changed notes that tx changed a setting: it reads its own values until it
// ends, everybody else reads anew after its commit.
func changed(tx core.App) {
	c, info := cacheOf(tx), tx.TxInfo()
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.open[info]; known {
		return
	}
	c.open[info] = struct{}{}
	info.OnComplete(func(error) error {
		c.mu.Lock()
		delete(c.open, info)
		c.mu.Unlock()
		c.drop()
		return nil
	})
}
