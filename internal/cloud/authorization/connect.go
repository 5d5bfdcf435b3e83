package authorization

import "maps"

// connectOperations are those of EC2 Instance Connect. OpenTunnel is no operation of its API:
// it opens a WebSocket (see package tunnel).
var connectOperations = operations{
	"OpenTunnel": {resources: []resource{{
		fields: []string{"InstanceConnectEndpointId"},
		find: func(s *subject, id string) []target {
			return withKeys(connectEndpoints.withID(s, id), map[string][]string{
				"ec2-instance-connect:remotePort":        s.values("RemotePort"),
				"ec2-instance-connect:privateIpAddress":  s.values("PrivateIpAddress"),
				"ec2-instance-connect:maxTunnelDuration": s.values("MaxTunnelDuration"),
			})
		},
	}}},
	"SendSSHPublicKey": {resources: []resource{{
		fields: []string{"InstanceId"},
		find: func(s *subject, id string) []target {
			return withKeys(instances.withID(s, id), map[string][]string{"ec2:osuser": s.values("InstanceOSUser")})
		},
	}}},
}

// withKeys adds condition keys to targets.
func withKeys(targets []target, keys map[string][]string) []target {
	for i := range targets {
		all := maps.Clone(keys)
		maps.Copy(all, targets[i].keys)
		targets[i].keys = all
	}
	return targets
}
