#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace slipway {

/// Calls `body` for each item, on up to `most` threads at once, and returns when all are done: one item that
/// takes its time does not hold up the others. `body` must be safe to be called from several threads.
template <class Item, class Body>
void for_each_at_once(const std::vector<Item>& items, std::size_t most, const Body& body) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < items.size(); i = next++) body(items[i]);
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min(most, items.size()); ++i) helpers.emplace_back(work);
  work();
}

}  // namespace slipway
