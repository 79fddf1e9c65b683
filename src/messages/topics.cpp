#include "messages/topics.hpp"

namespace slipway::messages {

Topics::Topics(std::string topic_prefix) : prefix(std::move(topic_prefix)) {
  service_requests = prefix + "service.requests";
  service_replies = prefix + "service.replies";
  deployment_requests = prefix + "deployment.requests";
  deployment_status = prefix + "deployment.status";
  deployment_output = prefix + "deployment.output";
  placement_requests = prefix + "placement.requests";
  placement_replies = prefix + "placement.replies";
  sensor_requests = prefix + "sensor.requests";
  sensor_replies = prefix + "sensor.replies";
  machine_requests = prefix + "machine.requests";
  machine_replies = prefix + "machine.replies";
  machine_registry = prefix + "machine.registry";
  machine_state = prefix + "machine.state";
  machine_stats = prefix + "machine.stats";
  service_events = prefix + "service.events";
  alert_requests = prefix + "alert.requests";
  alerts = prefix + "alerts";
  deadletter = prefix + "deadletter";
}

std::vector<TopicSpec> Topics::all() const {
  using std::chrono::days;
  return {
      {service_requests, 6, false, days{7}},
      {service_replies, 6, false, days{7}},
      {deployment_requests, 12, false, days{7}},
      {deployment_status, 12, false, days{30}},
      {deployment_output, 6, false, days{1}},
      {placement_requests, 6, false, days{1}},
      {placement_replies, 6, false, days{1}},
      {sensor_requests, 6, false, days{1}},
      {sensor_replies, 6, false, days{1}},
      {machine_requests, 6, false, days{1}},
      {machine_replies, 6, false, days{1}},
      {machine_registry, 6, true, {}},
      {machine_state, 6, true, {}},
      {machine_stats, 12, false, days{1}},
      {service_events, 6, false, days{7}},
      {alert_requests, 6, false, days{7}},
      {alerts, 6, false, days{7}},
      {deadletter, 6, false, days{30}},
  };
}

std::string service_group(std::string_view service_id) {
  return "slipway.service." + std::string(service_id);
}

}  // namespace slipway::messages
