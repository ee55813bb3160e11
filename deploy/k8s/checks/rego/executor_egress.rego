# METADATA
# title: The executor leaves from where its address is known
# description: A key of the exchange is bound to one address; from another one every order is refused.
# custom:
#   id: AW-0001
#   severity: CRITICAL
#   input:
#     selector:
#     - type: kubernetes
package user.alertwire.executor_egress

import rego.v1

# Written by tools/charting/scanning.py: a rule sees no other document than this one.
production if input.metadata.annotations["checks.alertwire/production"] == "true"

executor if {
	input.kind == "Deployment"
	input.metadata.labels["app.kubernetes.io/component"] == "executor"
}

pod := input.spec.template

# Mode node: the pods are bound to the nodes that have the address. Under the other modes a policy of
# the network does it, which is another document; tools/charting/judging/egress.py looks for that.
deny contains res if {
	executor
	production
	input.metadata.annotations["checks.alertwire/egress"] == "node"
	count(object.get(pod.spec, "nodeSelector", {})) == 0
	res := result.new("the executor has no nodeSelector, and its mode is node", input.metadata)
}

deny contains res if {
	executor
	production
	input.metadata.annotations["checks.alertwire/egress"] == "aks"
	not pod.metadata.annotations["kubernetes.azure.com/static-gateway-configuration"]
	res := result.new("the executor does not name its gateway, and its mode is aks", input.metadata)
}

deny contains res if {
	executor
	production
	not expected_addresses
	res := result.new("the executor is not told under which addresses it has to be seen", input.metadata)
}

expected_addresses if {
	some container in pod.spec.containers
	some variable in container.env
	variable.name == "ALERTWIRE_EXPECTED_ADDRESSES"
	count(variable.value) > 0
}
