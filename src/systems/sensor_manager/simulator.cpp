#include "systems/sensor_manager/simulator.hpp"

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/backoff.hpp"
#include "systems/sensor_manager/reading.hpp"

namespace slipway::sensor_manager {
namespace {

using messages::Sensor;

constexpr milliseconds kLookEvery{1000};
constexpr milliseconds kStep{200};  // the longest sleep
constexpr milliseconds kShortest{1};

std::chrono::nanoseconds period_of(const Sensor& sensor) {
  double rate = sensor.simulated_per_second;
  if (rate <= 0) rate = messages::per_second(sensor.rate).value_or(1.0);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / std::clamp(rate, 1e-5, 1000.0)));
}

/// What became of the one reading that is under way.
struct UnderWay {
  std::mutex mutex;
  bool done = true;
  bool failed = false;
};

struct Simulated {
  Sensor sensor;
  std::chrono::nanoseconds period{};
  std::optional<std::int64_t> seq;  // of the last reading that is on the topic; nothing: to be looked up
  MonoTime due{};
  Backoff pause;
  // Shared with the delivery report, which may come after this sensor was removed.
  std::shared_ptr<UnderWay> under_way = std::make_shared<UnderWay>();
};

}  // namespace

struct Simulator::State {
  State(ports::Bus& a_bus, Clock& a_clock, Log a_log, Sensors the_sensors, std::function<bool()> a_may_run)
      : bus(a_bus),
        clock(a_clock),
        log(std::move(a_log)),
        sensors(std::move(the_sensors)),
        may_run(std::move(a_may_run)) {}

  ports::Bus& bus;
  Clock& clock;
  const Log log;
  const Sensors sensors;
  const std::function<bool()> may_run;
  // The worker's own.
  std::map<std::string, Simulated> simulated;
  std::optional<MonoTime> looked_at;

  void look() {
    if (looked_at && clock.mono() - *looked_at < kLookEvery) return;
    looked_at = clock.mono();
    const auto all = sensors();
    if (!all) {
      log.warn("the sensors cannot be read, simulating those known", all.error());
      return;
    }
    std::erase_if(simulated, [&](const auto& one) {
      return std::ranges::none_of(*all, [&](const Sensor& sensor) { return sensor == one.second.sensor; });
    });
    for (const Sensor& sensor : *all) {
      if (!sensor.simulated || simulated.contains(sensor.sensor_id)) continue;
      Simulated& added = simulated[sensor.sensor_id];
      added.sensor = sensor;
      added.period = period_of(sensor);
      added.due = clock.mono();
    }
  }

  /// The number on the topic's last record. A record of somebody else counts as one: numbers only grow.
  Result<std::int64_t> last_seq(const Sensor& sensor) {
    SLIPWAY_ASSIGN(const auto last, bus.last_record(sensor.topic));
    const std::string topics[] = {sensor.topic};
    if (last && last->value && seq_of(*last->value) > 0) return seq_of(*last->value);
    SLIPWAY_ASSIGN(const auto ends, bus.end_offsets(topics));  // what was there has expired
    std::int64_t written = 0;
    for (const auto& [at, end] : ends) written += end;
    return written;
  }

  Status prepare(Simulated& one) {
    if (one.seq) return {};
    const std::string topics[] = {one.sensor.topic};
    SLIPWAY_ASSIGN(const auto there, bus.ranges(topics));
    if (there.empty()) {
      const messages::TopicSpec spec[] = {{one.sensor.topic, 1, false, std::chrono::days{7}}};
      SLIPWAY_TRY(bus.ensure_topics(spec));
    }
    SLIPWAY_ASSIGN(one.seq, last_seq(one.sensor));
    return {};
  }

  /// True if the sensor may publish: nothing under way. A reading that failed may still be there: looked up.
  bool settle(Simulated& one) {
    std::lock_guard lock(one.under_way->mutex);
    if (!one.under_way->done) return false;
    if (one.under_way->failed) {
      one.under_way->failed = false;
      one.seq.reset();
      one.due = clock.mono() + one.pause.next();
      return false;
    }
    return true;
  }

  void publish(Simulated& one) {
    if (const auto ready = prepare(one); !ready) {
      if (one.pause.tries() == 0)
        log.warn("simulating " + one.sensor.sensor_id + " has to wait", ready.error());
      one.due = clock.mono() + one.pause.next();
      return;
    }
    const std::int64_t seq = *one.seq + 1;
    const auto under_way = one.under_way;
    under_way->done = false;  // nothing is under way: no other thread looks at it
    const auto queued = bus.publish_later({.topic = one.sensor.topic,
                                           .key = one.sensor.sensor_id,
                                           .value = make_reading(one.sensor, seq, clock.now()),
                                           .source = "/sensor_manager/" + one.sensor.sensor_id,
                                           .type = "slipway.sensor.reading.v1",
                                           .subject = one.sensor.sensor_id},
                                          [under_way](const Status& status) {
                                            std::lock_guard lock(under_way->mutex);
                                            under_way->done = true;
                                            under_way->failed = !status;
                                          });
    if (!queued) {
      under_way->done = true;
      under_way->failed = true;
      return;
    }
    one.seq = seq;
    one.pause.reset();
    one.due += one.period;
    if (one.due + std::chrono::seconds{1} < clock.mono()) one.due = clock.mono();  // after an outage
  }

  /// How long to sleep until something is due.
  std::chrono::nanoseconds step() {
    const MonoTime now = clock.mono();
    std::chrono::nanoseconds next = kStep;
    for (auto& [id, one] : simulated) {
      if (settle(one) && one.due <= now) publish(one);
      next = std::min(next, std::chrono::nanoseconds(one.due - clock.mono()));
    }
    return std::max<std::chrono::nanoseconds>(next, kShortest);
  }
};

Simulator::Simulator(ports::Bus& bus, Clock& clock, Log log, Sensors sensors, std::function<bool()> may_run)
    : state_(std::make_unique<State>(bus, clock, std::move(log), std::move(sensors), std::move(may_run))),
      worker_([this](const std::stop_token& stop) { run(stop); }) {}

Simulator::~Simulator() {
  worker_.stop();
}

void Simulator::run(const std::stop_token& stop) {
  State& state = *state_;
  std::chrono::nanoseconds pause{0};
  while (state.clock.sleep(pause, stop)) {
    if (!state.may_run()) {
      state.simulated.clear();  // numbers are looked up again: somebody else publishes meanwhile
      state.looked_at.reset();
      pause = kStep;
      continue;
    }
    state.look();
    pause = state.step();
  }
}

}  // namespace slipway::sensor_manager
