#include "systems/machine_agent/spool.hpp"

#include <algorithm>

namespace slipway::machine_agent {
namespace {

std::size_t cost(std::size_t text) {
  return text + sizeof(Spool::Item);
}

}  // namespace

bool Spool::put(std::int64_t seq, WallTime t, std::string_view json) {
  if (!make_room(cost(json.size()))) {
    ++dropped_;
    return false;
  }
  bytes_ += cost(json.size());
  items_.push_back({seq, t, std::string{json}});
  return true;
}

bool Spool::make_room(std::size_t wanted) {
  while (bytes_ + wanted > most_bytes_) {
    const auto* oldest = next();
    if (oldest == nullptr) return false;
    ++dropped_;
    erase(next_);
  }
  return true;
}

Spool::Item* Spool::next() {
  while (next_ < items_.size() && (items_[next_].sent || items_[next_].acked)) ++next_;
  return next_ < items_.size() ? &items_[next_] : nullptr;
}

void Spool::mark_sent(Item& item) {
  item.sent = true;
  ++sent_;
}

void Spool::take_back(std::int64_t seq) {
  auto* item = find(seq);
  if (item == nullptr || !item->sent) return;
  item->sent = false;
  --sent_;
  const auto index =
      static_cast<std::size_t>(std::ranges::lower_bound(items_, seq, {}, &Item::seq) - items_.begin());
  next_ = std::min(next_, index);
}

void Spool::finish(std::int64_t seq, bool is_dropped) {
  auto* item = find(seq);
  if (item == nullptr || item->acked) return;
  if (item->sent) --sent_;
  item->sent = false;
  item->acked = true;
  if (is_dropped) ++dropped_;
  while (!items_.empty() && items_.front().acked) erase(0);
}

Spool::Item* Spool::find(std::int64_t seq) {
  const auto found = std::ranges::lower_bound(items_, seq, {}, &Item::seq);
  return found != items_.end() && found->seq == seq ? &*found : nullptr;
}

void Spool::erase(std::size_t index) {
  bytes_ -= cost(items_[index].json.size());
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(index));
  if (next_ > index) --next_;
}

}  // namespace slipway::machine_agent
