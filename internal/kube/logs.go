package kube

import (
	"context"
	"io"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
)

// LogQuery says which lines of a container's log to read.
type LogQuery struct {
	Namespace, Pod, Container string
	// Previous is the container's instance before the last restart.
	Previous bool
	// Lines are the last ones, at most; 0 is all.
	Lines int
	// Since leaves out what is older; zero leaves out nothing.
	Since time.Time
	// Timestamps puts each line's time before it.
	Timestamps bool
}

const (
	logTimeout  = 5 * time.Second
	maxLogBytes = 64 << 10
)

// Log reads the end of a log, 64 KiB at most.
func (c *Client) Log(ctx context.Context, q LogQuery) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	answer := c.log(c.core, q).Param("limitBytes", strconv.Itoa(maxLogBytes)).Do(ctx)
	if err := answer.Error(); err != nil {
		return nil, classify(err)
	}
	raw, err := answer.Raw()
	return raw, classify(err)
}

// OpenLog reads a log as fast as the caller does, and holds nothing of it meanwhile. The
// caller closes it.
func (c *Client) OpenLog(ctx context.Context, q LogQuery) (io.ReadCloser, error) {
	stream, err := c.log(c.streams, q).Stream(ctx)
	return stream, classify(err)
}

// FollowLog is OpenLog of a log as it grows, until ctx ends or the container has.
func (c *Client) FollowLog(ctx context.Context, q LogQuery) (io.ReadCloser, error) {
	stream, err := c.log(c.streams, q).Param("follow", "true").Stream(ctx)
	return stream, classify(err)
}

func (c *Client) log(by *rest.RESTClient, q LogQuery) *rest.Request {
	r := by.Get().Namespace(q.Namespace).Resource("pods").Name(q.Pod).SubResource("log").Param("container", q.Container)
	if q.Previous {
		r = r.Param("previous", "true")
	}
	if q.Lines > 0 {
		r = r.Param("tailLines", strconv.Itoa(q.Lines))
	}
	if !q.Since.IsZero() {
		r = r.Param("sinceTime", q.Since.UTC().Format(time.RFC3339))
	}
	if q.Timestamps {
		r = r.Param("timestamps", "true")
	}
	return r
}
