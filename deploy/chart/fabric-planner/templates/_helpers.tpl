{{- define "planner.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "planner.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "planner.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "planner.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether the chart makes the ConfigMap; refuses none and several sources of the plan. */}}
{{- define "planner.checked" -}}
{{- with .Values.scenario -}}
{{- $given := list -}}
{{- range $key := list "text" "existingConfigMap" "existingClaim" -}}
{{- if index $.Values.scenario $key -}}{{- $given = append $given $key -}}{{- end -}}
{{- end -}}
{{- if not $given -}}
{{- fail "scenario: no plan is given; --set-file scenario.text=plan.fabric.yaml, or scenario.existingConfigMap, or scenario.existingClaim" -}}
{{- end -}}
{{- if gt (len $given) 1 -}}
{{- fail (printf "scenario: %s are given; one of them is the plan, leave the others empty" (join " and " $given)) -}}
{{- end -}}
{{- if and .files (not .text) -}}
{{- fail (printf "scenario.files go with scenario.text; put them into %s" (first $given)) -}}
{{- end -}}
{{- if hasKey .files .file -}}
{{- fail (printf "scenario.files has %s, which is the name of the scenario itself; give one of them another name" .file) -}}
{{- end -}}
{{- if and (contains "/" .file) (not .existingClaim) -}}
{{- fail (printf "scenario.file is %s, and a ConfigMap has no folders; name a file without a slash, or use scenario.existingClaim" .file) -}}
{{- end -}}
{{- $bytes := len .text -}}
{{- range .files -}}{{- $bytes = add $bytes (len .) -}}{{- end -}}
{{- if gt (int $bytes) 1000000 -}}
{{- fail (printf "scenario: text and files have %d bytes, and a ConfigMap holds 1 MiB; put them on a volume: scenario.existingClaim" (int $bytes)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
