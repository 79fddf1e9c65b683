#include "systems/monitoring_service/minute.hpp"

#include <algorithm>

namespace slipway::monitoring_service {
namespace {

bool same_source(const ports::Reach& a, const ports::Reach& b) {
  return a.cluster_id == b.cluster_id && a.partition == b.partition;
}

}  // namespace

Minute::Minute(std::string machine, std::string container_id, std::int64_t minute)
    : machine_(std::move(machine)), container_id_(std::move(container_id)), minute_(minute) {}

Result<Minute> Minute::from(const ports::MinuteDocument& stored) {
  Minute minute(stored.machine, stored.container_id, stored.minute);
  SLIPWAY_ASSIGN(minute.columns_, ports::Columns::decode(stored.columns));
  minute.reach_ = stored.reach;
  minute.service_id_ = stored.service_id;
  minute.release_ = stored.release;
  return minute;
}

ports::Columns& Minute::fold(const std::string& cluster_id, int partition, std::int64_t offset,
                             MonoTime now) {
  const ports::Reach mine{cluster_id, partition, offset};
  if (same_source(reach_, mine))
    reach_.through_offset = std::max(reach_.through_offset, offset);
  else
    reach_ = mine;
  if (unsaved_.empty()) unsaved_since_ = now;
  const auto [first, is_new] = unsaved_.try_emplace(partition, offset);
  if (!is_new) first->second = std::min(first->second, offset);
  touched_at_ = now;
  return columns_;
}

Status Minute::merge(const ports::MinuteDocument& stored) {
  SLIPWAY_ASSIGN(const auto columns, ports::Columns::decode(stored.columns));
  columns_.merge(columns);
  if (same_source(reach_, stored.reach))
    reach_.through_offset = std::max(reach_.through_offset, stored.reach.through_offset);
  return {};
}

void Minute::set_owner(std::string service_id, std::optional<std::int64_t> release) {
  service_id_ = std::move(service_id);
  release_ = release;
}

ports::MinuteDocument Minute::document() const {
  ports::MinuteDocument document;
  document.machine = machine_;
  document.container_id = container_id_;
  document.service_id = service_id_;
  document.release = release_;
  document.minute = minute_;
  document.reach = reach_;
  document.columns = columns_.encode();
  document.plain = columns_.summarize();
  document.samples = static_cast<std::int64_t>(columns_.rows().size());
  return document;
}

}  // namespace slipway::monitoring_service
