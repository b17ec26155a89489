{{- define "shiplock.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 53 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "shiplock.account" -}}
{{ default (include "shiplock.name" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "shiplock.claim" -}}
{{ default (include "shiplock.name" .) .Values.persistence.existingClaim }}
{{- end }}

{{- define "shiplock.runnerURL" -}}
{{- $port := int .Values.service.port -}}
{{ default (printf "http://%s.%s.svc%s" (include "shiplock.name" .) .Release.Namespace (ternary "" (printf ":%d" $port) (eq $port 80))) .Values.runnerURL }}
{{- end }}

{{- define "shiplock.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.Version .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "shiplock.selector" -}}
app.kubernetes.io/name: shiplock
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "shiplock.labels" -}}
{{ include "shiplock.selector" . }}
app.kubernetes.io/version: {{ default .Chart.Version .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* What a schema cannot say. */ -}}
{{- define "shiplock.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.database.existingSecret) }}
{{- fail "replicas above 1 take a PostgreSQL database: put its URL into a Secret and name that with database.existingSecret (docs/operate/postgres.md)" }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not .Values.persistence.existingClaim) (ne .Values.persistence.accessMode "ReadWriteMany") }}
{{- fail "replicas above 1 share one volume: set persistence.accessMode to ReadWriteMany, with a storageClass that can, or name a claim with persistence.existingClaim (docs/operate/install.md)" }}
{{- end }}
{{- end }}
