# METADATA
# title: Nobody but the executor reaches the internet
# description: A service that can be taken over must not be able to carry anything outside.
# custom:
#   id: AW-0002
#   severity: CRITICAL
#   input:
#     selector:
#     - type: kubernetes
package user.alertwire.internet

import rego.v1

policy if input.kind == "NetworkPolicy"

for_executor_alone if {
	input.spec.podSelector.matchLabels["app.kubernetes.io/component"] == "executor"
}

private := ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]

inside(cidr) if {
	some network in private
	net.cidr_contains(network, cidr)
}

deny contains res if {
	policy
	not for_executor_alone
	some rule in input.spec.egress
	some peer in rule.to
	not inside(peer.ipBlock.cidr)
	res := result.new(sprintf("%s opens %s", [input.metadata.name, peer.ipBlock.cidr]), input.metadata)
}

deny contains res if {
	policy
	some rule in input.spec.egress
	count(object.get(rule, "to", [])) == 0
	res := result.new(sprintf("%s has a rule without `to`, which opens everything", [input.metadata.name]), input.metadata)
}

deny contains res if {
	input.kind in {"CiliumNetworkPolicy", "FQDNNetworkPolicy"}
	selector := object.get(input.spec, "endpointSelector", object.get(input.spec, "podSelector", {}))
	object.get(selector, ["matchLabels", "app.kubernetes.io/component"], "") != "executor"
	res := result.new(sprintf("%s opens names outside for others than the executor", [input.metadata.name]), input.metadata)
}

deny contains res if {
	pod := object.get(input.spec, "template", input)
	pod.spec.hostNetwork
	res := result.new(sprintf("%s shares the node's network, where no policy holds", [input.metadata.name]), input.metadata)
}
