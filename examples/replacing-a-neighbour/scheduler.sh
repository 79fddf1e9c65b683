#!/usr/bin/env bash
# A Scheduler of your own, in bash: kcat speaks Kafka, jq reads JSON. Needs kcat, jq and KAFKA_BROKERS.
# Of the machines that are up it names one by the service's name: the same question gets the same answer, and services spread.
set -u -o pipefail

last_words() { # of a compacted topic, as one object: key -> value
  kcat -C -e -q -J -o beginning -b "$KAFKA_BROKERS" -t "$1" |
    jq -cn 'reduce inputs as $said ({}; if $said.payload then .[$said.key] = ($said.payload | fromjson) else delpaths([[$said.key]]) end)'
}

answer() { # a question -> the reply
  jq -c --slurpfile machines <(last_words slipway.machine.registry) --slurpfile states <(last_words slipway.machine.state) '
    . as $question
    | ($machines[0] | with_entries(select(.value.removed | not)) | map_values(
        if .cordoned then "cordoned"
        elif .engine_error then "its Engine does not answer: \(.engine_error)"
        elif $states[0][.name].state == "up" then ""
        else "it is \($states[0][.name].state // "unknown")" end)) as $why
    | [$why | to_entries[] | select(.value == "") | .key] as $fit
    | ($why | with_entries(select(.value != ""))) as $refused
    | {request_id, service_id, correlation_id: (.correlation_id // ""), refused: $refused, machine: null, error: null}
    | if $fit == [] then .error = {code: "placement.none", message: "no machine is fit: \($refused)"}
      else .machine = $fit[($question.service_id | explode | add) % ($fit | length)] | .reason = "one of \($fit | length) that are up" end' <<<"$1"
}

exec {questions}< <(exec kcat -G slipway.scheduler -u -q -J -b "$KAFKA_BROKERS" -X auto.offset.reset=earliest slipway.placement.requests)
kcat=$!
trap 'kill "$kcat"; exit 0' TERM

while read -r record <&"$questions"; do
  question=$(jq -c '. as $record | .payload | fromjson | select(.service_id | type == "string") | .request_id //= "p-\($record.partition)-\($record.offset)"' <<<"$record")
  [[ -n $question ]] || continue # no question that can be answered
  reply=$(answer "$question") || { echo "not answered: $question" >&2; continue; } # the Deployment Manager asks again
  kcat -P -b "$KAFKA_BROKERS" -t slipway.placement.replies -k "$(jq -r .service_id <<<"$reply")" -H ce_source=/scheduler \
    -H "ce_id=$(jq -r '.request_id + ":" + .correlation_id' <<<"$reply")" -H content-type=application/json <<<"$reply"
done
exit 1 # without its ears it is none
