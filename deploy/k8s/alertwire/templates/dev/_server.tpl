{{/* Of (root, component, image, ports, data, probe, [user, args, env, files, config, run]): a server with a volume, and its Service. */}}
{{- define "alertwire.devServer" -}}
{{- $name := printf "%s-%s" (include "alertwire.fullname" .root) .component -}}
{{- $files := .files | default list -}}
{{- $security := include "alertwire.podSecurity" . | fromYaml -}}
{{- with .user -}}
{{- $_ := merge $security.securityContext (dict) -}}
{{- $_ := set $security.securityContext "runAsUser" . -}}
{{- $_ := set $security.securityContext "runAsGroup" . -}}
{{- $_ := set $security.securityContext "fsGroup" . -}}
{{- end -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "alertwire.metadata" . | nindent 2 }}
spec:
  selector:
    {{- include "alertwire.selector" . | nindent 4 }}
  ports:
    {{- range $port, $number := .ports }}
    - {name: {{ $port }}, port: {{ $number }}, targetPort: {{ $port }}}
    {{- end }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "alertwire.metadata" . | nindent 2 }}
spec:
  replicas: 1
  serviceName: {{ $name }}
  selector:
    matchLabels:
      {{- include "alertwire.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "alertwire.labels" . | nindent 8 }}
    spec:
      {{- toYaml $security | nindent 6 }}
      containers:
        - name: {{ .component }}
          image: {{ .image }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          {{- with .args }}
          args: {{ toJson . }}
          {{- end }}
          securityContext:
            {{- include "alertwire.containerSecurity" . | nindent 12 }}
          {{- with .env }}
          env:
            {{- include "alertwire.variables" . | trim | nindent 12 }}
          {{- end }}
          ports:
            {{- range $port, $number := .ports }}
            - {name: {{ $port }}, containerPort: {{ $number }}}
            {{- end }}
          readinessProbe:
            tcpSocket: {port: {{ .probe }}}
            periodSeconds: 2
          livenessProbe:
            tcpSocket: {port: {{ .probe }}}
            periodSeconds: 20
            failureThreshold: 6
          resources:
            requests: {cpu: 50m, memory: 64Mi}
            limits: {memory: 512Mi}
          volumeMounts:
            {{- include "alertwire.mounts" $files | nindent 12 }}
            - {name: data, mountPath: {{ .data }}}
            {{- with .config }}
            - {name: config, mountPath: {{ . }}, readOnly: true}
            {{- end }}
            {{- with .run }}
            - {name: run, mountPath: {{ . }}}
            {{- end }}
      volumes:
        {{- include "alertwire.volumes" $files | nindent 8 }}
        {{- if .config }}
        - name: config
          configMap: {name: {{ $name }}}
        {{- end }}
        {{- if .run }}
        - name: run
          emptyDir: {sizeLimit: 16Mi}
        {{- end }}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        resources:
          requests:
            storage: {{ .root.Values.dev.storage }}
{{- end }}
