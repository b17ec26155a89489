package server

import (
	"context"

	"github.com/shiplock/shiplock/internal/api"
)

type setSecretInput struct{ Body api.SetSecret }

type secretInput struct {
	Secret string `path:"secret"`
}

func (s *Server) listSecrets(ctx context.Context, _ *nothing) (api.Page[api.Secret], error) {
	all, err := s.cfg.Engine.Secrets(ctx, principal(ctx))
	if err != nil {
		return api.Page[api.Secret]{}, err
	}
	set, err := s.cfg.Engine.Catalog(ctx)
	if err != nil {
		return api.Page[api.Secret]{}, err
	}
	items := make([]api.Secret, len(all))
	for i, secret := range all {
		items[i] = api.SecretOf(secret, set.SecretUsers(secret.Name))
	}
	return api.Page[api.Secret]{Items: items}, nil
}

func (s *Server) setSecret(ctx context.Context, in *setSecretInput) (api.Secret, error) {
	set, err := s.cfg.Engine.SetSecret(ctx, principal(ctx), in.Body.Name, in.Body.Value)
	return api.SecretOf(set, nil), err
}

func (s *Server) deleteSecret(ctx context.Context, in *secretInput) (struct{}, error) {
	return struct{}{}, s.cfg.Engine.DeleteSecret(ctx, principal(ctx), in.Secret)
}

func (s *Server) rotateMasterKey(ctx context.Context, _ *nothing) (api.Rotation, error) {
	key, n, err := s.cfg.Engine.RotateMasterKey(ctx, principal(ctx))
	return api.Rotation{Key: key, Sealed: n}, err
}
