#pragma once

#include <array>
#include <string_view>

namespace slipway::gateway {

/// A system of the mission. `role`: it is up when its consumer group has a member; empty: judged otherwise.
struct System {
  std::string_view name;
  std::string_view role;
};

inline constexpr std::array<System, 11> kSystems{{{"Deployment Manager", "deployment_manager"},
                                                  {"Monitoring Service", "monitoring_service"},
                                                  {"Machine Agent", ""},
                                                  {"Service Life Cycle Manager", "life_cycle_manager"},
                                                  {"Sensor Manager", "sensor_manager"},
                                                  {"Scheduler", "scheduler"},
                                                  {"Heart Beat Manager", "heart_beat_manager"},
                                                  {"Node Manager", "node_manager"},
                                                  {"Repository", ""},
                                                  {"Kafka", ""},
                                                  {"Docker", ""}}};

}  // namespace slipway::gateway
