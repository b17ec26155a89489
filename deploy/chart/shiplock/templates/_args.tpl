{{- define "shiplock.args" -}}
- serve
- --data=/data
- --listen=:8080
- --url={{ .Values.url }}
- --runner-url={{ include "shiplock.runnerURL" . }}
- --lang={{ .Values.lang }}
- --log={{ .Values.log }}
- --capacity={{ .Values.capacity }}
- --registry={{ .Values.registry.address }}
{{- if .Values.registry.authSecret }}
- --registry-auth=/etc/shiplock/registry/config.json
{{- end }}
{{- if .Values.registry.caConfigMap }}
- --registry-ca=/etc/shiplock/ca/ca.crt
{{- end }}
{{- if .Values.registry.plainHTTP }}
- --registry-plain-http
{{- end }}
{{- if .Values.registry.sharedCredential }}
- --registry-shared-credential
{{- end }}
- --executor=kubernetes
{{- with .Values.builds }}
- --build-namespace={{ .namespace }}
- --build-priority-class={{ .priorityClass }}
- --build-start={{ .start }}
{{- range .pullSecrets }}
- --build-pull-secret={{ . }}
{{- end }}
{{- if .image }}
- --build-image={{ .image }}
{{- end }}
- --build-cache-size={{ .cache.size }}
{{- if .cache.storageClass }}
- --build-cache-class={{ .cache.storageClass }}
{{- end }}
{{- if .cache.shared }}
- --build-cache-shared
{{- end }}
{{- end }}
{{- range .Values.releases.pullSecrets }}
- --pull-secret={{ . }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
