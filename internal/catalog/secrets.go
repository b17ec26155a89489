package catalog

import "slices"

// SecretUsers lists the documents that name a secret.
func (s *Set) SecretUsers(secret string) []string {
	var users []string
	for name, c := range s.Clusters {
		if c.KubeconfigSecret == secret {
			users = append(users, KindCluster+"/"+name)
		}
	}
	for name, c := range s.Channels {
		if c.URLSecret == secret || c.SignSecret == secret {
			users = append(users, KindChannel+"/"+name)
		}
	}
	slices.Sort(users)
	return users
}
