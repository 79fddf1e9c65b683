#pragma once

#include <atomic>

#include "comfort.hpp"

/// Reads the topics of both sensors into `comfort` and publishes each change, until `stopping`.
void read_sensors(Comfort& comfort, const std::atomic<bool>& stopping);
