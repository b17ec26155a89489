package image

import "time"

// Hurry makes c wait hardly at all before it tries again.
func Hurry(c *Client) *Client {
	c.pause = time.Millisecond
	return c
}
