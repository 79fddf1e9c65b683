// What each sample costs on its way: written by the agent, read by the Monitoring Service and the Heart Beat
// Manager.
#include "messages/machine_sample.hpp"

#include <benchmark/benchmark.h>

namespace slipway::messages {
namespace {

MachineSample usual_sample(int containers) {
  MachineSample sample;
  sample.machine = "edge-1";
  sample.boot_id = "b1c2d3e4f5a60718";
  sample.host_boot = "0d7c2a3e-7d2f-4a54-8f0c-27f1a1a6d3c5";
  sample.agent = "0.1.0";
  sample.seq = 4711;
  sample.t = 1795348901134;
  sample.cpu = {12.5, 8.1, 3.9, 0.4, 0, 4};
  sample.mem = {4012345678, 2900000000, 800000000, 0};
  sample.psi = MachineSample::Pressure{0.1, 0, 0.2};
  sample.fs = {{"/", 250000000000, 13000000000, 7.5}};
  sample.net = {{"eth0", 12345.6, 2345.6}};
  sample.uptime_s = 86400.5;
  for (int i = 0; i < containers; ++i) {
    sample.containers.push_back(
        {std::string(64, static_cast<char>('a' + i % 6)), 1.2, 61000000, 268435456, 3, 0, 1.5, 2.5});
  }
  return sample;
}

void write(benchmark::State& state) {
  const MachineSample sample = usual_sample(static_cast<int>(state.range(0)));
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_json(sample, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(write)->Arg(2)->Arg(20)->Unit(benchmark::kMicrosecond);

void read(benchmark::State& state) {
  std::string json;
  append_json(usual_sample(static_cast<int>(state.range(0))), json);
  for (auto _ : state) {
    auto sample = parse_machine_sample(json);
    if (!sample) state.SkipWithError("a usual sample was refused");
    benchmark::DoNotOptimize(sample);
  }
}
BENCHMARK(read)->Arg(2)->Arg(20)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace slipway::messages
