package image

import (
	"context"
	"time"
)

// treeLayer makes t a layer, with as little work as the cache allows: nothing is
// read when no file has changed since, and nothing is compressed when the
// content is known from elsewhere.
func (c *Client) treeLayer(ctx context.Context, t *tree) (*layer, error) {
	l := &layer{pack: func() (*spool, error) { return pack(ctx, c.tempDir, t.entries) }}
	if id, ok := c.cache.byStamp(t.stamp); ok {
		l.id = id
		l.pack = c.verified(l.pack, t.stamp, id)
		return l, nil
	}
	start := time.Now()
	if c.cache.on() {
		diff, err := diffID(ctx, t.entries)
		if err != nil {
			return nil, err
		}
		if id, ok := c.cache.byDiffID(diff); ok {
			l.id = id
			l.pack = c.verified(l.pack, t.stamp, id)
			c.remember(t, start, id)
			return l, nil
		}
	}
	content, err := l.pack()
	if err != nil {
		return nil, err
	}
	l.content, l.id = content, content.id
	c.cache.putLayer(l.id)
	c.remember(t, start, l.id)
	return l, nil
}

// remember notes what the tree was found to be, if it did not change from
// before its files were read, at start, until now.
func (c *Client) remember(t *tree, start time.Time, id layerID) {
	if !c.cache.on() || !t.stamp.settled(start) {
		return
	}
	again, err := scanTree(t.root.Name(), t.into)
	if err != nil {
		return
	}
	defer again.Close()
	if again.stamp == t.stamp {
		c.cache.put(stampFacts, t.stamp.sum, id.DiffID)
	}
}

// verified corrects the cache when it turns out to be wrong, so that the error
// that follows does not come again.
func (c *Client) verified(pack func() (*spool, error), s stamp, want layerID) func() (*spool, error) {
	return func() (*spool, error) {
		content, err := pack()
		if err == nil && content.id != want {
			c.cache.putLayer(content.id)
			c.cache.put(stampFacts, s.sum, nil)
		}
		return content, err
	}
}
