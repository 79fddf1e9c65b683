// What a minute costs: 60 samples folded into columns, encoded and summarized; and stored, 100 minutes a
// batch, in the Repository that MONGODB_URI names.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "adapters/repository/repository.hpp"
#include "systems/monitoring_service/fold.hpp"
#include "systems/monitoring_service/minute.hpp"

namespace slipway::monitoring_service {
namespace {

constexpr int kSamples = 60;
constexpr std::int64_t kBegin =
    4'102'000'020'000 / 60'000 * 60'000;  // never in the past: real minutes expire

// A machine that is busy: every value moves.
std::vector<messages::MachineSample> busy_minute(const std::string& machine) {
  std::mt19937 random(7);
  const auto around = [&](double middle, double width) {
    return std::round((middle + width * (static_cast<double>(random() % 2001) / 1000 - 1)) * 100) / 100;
  };
  std::vector<messages::MachineSample> samples(kSamples);
  for (int i = 0; i < kSamples; ++i) {
    auto& sample = samples[static_cast<std::size_t>(i)];
    sample.machine = machine;
    sample.boot_id = "b1c2d3e4f5a60718";
    sample.seq = 4711 + i;
    sample.t = kBegin + i * 1000 + static_cast<int>(random() % 5);
    sample.cpu = {around(40, 20), around(25, 10), around(10, 5), around(1, 1), 0, 4};
    sample.load[0] = around(2, 0.2);
    sample.mem = {4012345678, 2900000000 + static_cast<std::int64_t>(random() % 100) * 4096, 800000000, 0};
    sample.psi = messages::MachineSample::Pressure{around(1, 1), 0, around(1, 1)};
    sample.fs = {{"/", 250000000000, 13000000000 + i * 4096, 7.5}};
    sample.disk = {around(1e6, 1e6), around(1e6, 1e6), around(5, 5)};
    sample.net = {{"eth0", around(1e5, 1e5), around(1e5, 1e5)}};
    sample.uptime_s = 86400 + i;
  }
  return samples;
}

Minute folded(const std::string& machine, std::int64_t start) {
  Minute minute(machine, "", start);
  for (const auto& sample : busy_minute(machine))
    fold_machine(sample, minute.fold("cluster", 0, sample.seq, MonoTime{}));
  return minute;
}

void fold(benchmark::State& state) {
  const auto samples = busy_minute("edge-1");
  std::size_t bytes = 0;
  for (auto _ : state) {
    Minute minute("edge-1", "", kBegin);
    for (const auto& sample : samples)
      fold_machine(sample, minute.fold("cluster", 0, sample.seq, MonoTime{}));
    const auto document = minute.document();
    bytes = document.columns.size();
    benchmark::DoNotOptimize(document);
  }
  state.counters["bytes_a_sample"] = static_cast<double>(bytes) / kSamples;
  state.counters["samples_per_s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kSamples), benchmark::Counter::kIsRate);
}
BENCHMARK(fold)->Unit(benchmark::kMicrosecond);

void store(benchmark::State& state) {
  const char* uri = std::getenv("MONGODB_URI");
  if (uri == nullptr) return state.SkipWithError("MONGODB_URI is not set: run ./dev bench minutes");
  static SystemClock clock;
  auto repository =
      repository::open_repository({.uri = uri, .database = "slipway_bench"}, clock, Log::silent());
  if (!repository) return state.SkipWithError(to_string(repository.error()).c_str());
  constexpr int kMinutes = 100;
  std::vector<ports::MinuteDocument> minutes;
  for (int i = 0; i < kMinutes; ++i) minutes.push_back(folded("edge-1", kBegin + i * 60'000).document());
  for (auto _ : state) {
    for (auto& minute : minutes) minute.minute += kMinutes * 60'000;
    const auto refused = (*repository)->samples().write(minutes);
    if (!refused) return state.SkipWithError(to_string(refused.error()).c_str());
  }
  state.counters["samples_per_s"] = benchmark::Counter(
      static_cast<double>(state.iterations() * kMinutes * kSamples), benchmark::Counter::kIsRate);
}

BENCHMARK(store)->Unit(benchmark::kMillisecond)->Iterations(20)->UseRealTime();

}  // namespace
}  // namespace slipway::monitoring_service
