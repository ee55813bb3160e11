{{/* What every pod of ours is, in the restricted profile of pod security. */}}

{{/* Of (root, component): the pod's own side. */}}
{{- define "alertwire.podSecurity" -}}
serviceAccountName: {{ include "alertwire.fullname" .root }}-{{ .component }}
automountServiceAccountToken: false
# A service's variables would begin with ALERTWIRE_, and unknown ones are refused.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The container's side. */}}
{{- define "alertwire.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Of files: volumes. */}}
{{- define "alertwire.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- $sources := include "alertwire.fileSources" . }}
{{- if $sources }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- $sources | trim | nindent 6 }}
{{- end }}
{{- end }}

{{/* Of files: mounts. */}}
{{- define "alertwire.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if include "alertwire.fileSources" . }}
- name: secrets
  mountPath: /run/alertwire
  readOnly: true
{{- end }}
{{- end }}

{{/* Of a dict of variables: those that are not empty. */}}
{{- define "alertwire.variables" -}}
{{- range $name, $value := . }}
{{- if ne (toString $value) "" }}
- name: {{ $name }}
  value: {{ toString $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Of (root, component, spread): as even over zones and hosts as is asked for, each rollout by itself. */}}
{{- define "alertwire.topologySpread" -}}
{{- $part := . -}}
{{- range $key, $when := dict "topology.kubernetes.io/zone" .spread.zones "kubernetes.io/hostname" .spread.hosts }}
{{- if ne $when "Off" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: {{ $when }}
  nodeTaintsPolicy: Honor
  labelSelector:
    matchLabels:
      {{- include "alertwire.selector" $part | nindent 6 }}
      {{- with $part.shard }}
      alertwire/shard: {{ . | quote }}
      {{- end }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}
{{- end }}
