{{/* Of {namespaceLabels, podLabels, cidrs}: a list of peers. Nothing given: nobody. */}}
{{- define "alertwire.peers" -}}
{{- $peer := dict -}}
{{- with .namespaceLabels }}{{ $peer = set $peer "namespaceSelector" (dict "matchLabels" .) }}{{ end -}}
{{- with .podLabels }}{{ $peer = set $peer "podSelector" (dict "matchLabels" .) }}{{ end -}}
{{- with $peer }}
{{- toYaml (list .) | nindent 0 }}
{{- end }}
{{- range .cidrs }}
- ipBlock:
    cidr: {{ . | quote }}
{{- end }}
{{- end }}

{{/* Of (direction, peers, ports, [protocols]): a rule, where there are peers. Ports without peers would mean everybody. */}}
{{- define "alertwire.rule" -}}
{{- if .peers }}
- {{ .direction }}:
    {{- .peers | trim | nindent 4 }}
  ports:
    {{- $protocols := .protocols | default (list "TCP") }}
    {{- range $port := .ports }}
    {{- range $protocols }}
    - {protocol: {{ . }}, port: {{ $port }}}
    {{- end }}
    {{- end }}
{{- end }}
{{- end }}

{{/* Of (root, component): the pods of a component of this release, as a peer. */}}
{{- define "alertwire.ourPods" -}}
- podSelector:
    matchLabels:
      {{- include "alertwire.selector" . | nindent 6 }}
{{- end }}

{{/* Of root: peers that may be our own in development. */}}
{{- define "alertwire.natsPeers" -}}
{{- if .Values.dev.nats.enabled -}}
{{- include "alertwire.ourPods" (dict "root" . "component" "nats") -}}
{{- else -}}
{{- include "alertwire.peers" .Values.networkPolicy.nats -}}
{{- end -}}
{{- end }}

{{- define "alertwire.postgresPeers" -}}
{{- if .Values.dev.postgres.enabled -}}
{{- include "alertwire.ourPods" (dict "root" . "component" "postgres") -}}
{{- else -}}
{{- include "alertwire.peers" .Values.networkPolicy.postgres -}}
{{- end -}}
{{- end }}

{{/* Of (root, to): rules for egress; `to` names what is reached: nats, postgres, telemetry. DNS always. */}}
{{- define "alertwire.egressRules" -}}
{{- $policy := .root.Values.networkPolicy -}}
{{- include "alertwire.rule" (dict "direction" "to" "peers" (include "alertwire.peers" $policy.dns) "ports" $policy.dns.ports "protocols" (list "UDP" "TCP")) }}
{{- if has "nats" .to }}
{{- include "alertwire.rule" (dict "direction" "to" "peers" (include "alertwire.natsPeers" .root) "ports" $policy.nats.ports) }}
{{- end }}
{{- if has "postgres" .to }}
{{- include "alertwire.rule" (dict "direction" "to" "peers" (include "alertwire.postgresPeers" .root) "ports" $policy.postgres.ports) }}
{{- end }}
{{- if and (has "telemetry" .to) .root.Values.telemetry.endpoint }}
{{- include "alertwire.rule" (dict "direction" "to" "peers" (include "alertwire.peers" $policy.telemetry) "ports" $policy.telemetry.ports) }}
{{- end }}
{{- end }}

{{/* Of root: where the executor alone goes: outside, and to the paper exchange. */}}
{{- define "alertwire.outsideRules" -}}
{{- $egress := .Values.executor.egress -}}
{{- if .Values.dev.paperExchange.enabled }}
{{- include "alertwire.rule" (dict "direction" "to" "peers" (include "alertwire.ourPods" (dict "root" . "component" "paper-exchange")) "ports" (list 8080)) }}
{{- end }}
{{- if eq $egress.fqdn.provider "none" }}
{{- $peers := list -}}
{{- range $egress.cidrs -}}
{{- $peers = append $peers (dict "ipBlock" .) -}}
{{- end -}}
{{- if $peers }}
{{- include "alertwire.rule" (dict "direction" "to" "peers" (toYaml $peers) "ports" $egress.ports) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Of (root, component, [annotations], from, to): a component's policy; `from` and `to` are rules. */}}
{{- define "alertwire.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "alertwire.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "alertwire.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- with .from | trim }}
  ingress:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .to | trim }}
  egress:
    {{- . | nindent 4 }}
  {{- end }}
{{- end }}
