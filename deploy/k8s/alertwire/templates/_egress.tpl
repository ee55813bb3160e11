{{/*
How the executor's pods leave under a fixed address, as far as the pod says it: JSON of what
`alertwire.deployment` takes. The objects of the other modes are in egress.yaml.
*/}}
{{- define "alertwire.egressPod" -}}
{{- $egress := .Values.executor.egress -}}
{{- if eq $egress.mode "node" -}}
{{- $expressions := list -}}
{{- range $label, $value := $egress.nodeSelector -}}
{{- $expressions = append $expressions (dict "key" $label "operator" "In" "values" (list $value)) -}}
{{- end -}}
{{- /* Said twice: whoever mutates one of the two does not let an order leave from elsewhere. */ -}}
{{- dict
  "nodeSelector" $egress.nodeSelector
  "tolerations" $egress.tolerations
  "affinity" (dict "nodeAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" (dict
    "nodeSelectorTerms" (list (dict "matchExpressions" $expressions)))))
  | toJson -}}
{{- else if eq $egress.mode "aks" -}}
{{- dict "podAnnotations" (dict "kubernetes.azure.com/static-gateway-configuration" $egress.aks.gatewayConfiguration) | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- end }}
