#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <fstream>
#include <iterator>
#include <string_view>

#include "adapters/kafka/sample_producer.hpp"
#include "base/ids.hpp"
#include "base/thread.hpp"
#include "systems/machine_agent/agent.hpp"

namespace {

using namespace slipway;

struct Paths {
  std::string settings = "/run/slipway/agent.json";
  std::string kafka = "/run/slipway/kafka.properties";
  std::string state = "/var/lib/slipway-agent/state.json";
};

constexpr const char* kUsage =
    "slipway-agent [--settings FILE] [--kafka FILE] [--state FILE] | --version\n"
    "Measures this machine and its containers and sends a sample to Kafka each interval.\n";

Result<std::string> read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return not_found("agent.settings", "cannot read " + path);
  return std::string{std::istreambuf_iterator<char>{file}, {}};
}

Result<Paths> parse_arguments(int argc, char** argv) {
  Paths paths;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    std::string* into = name == "--settings" ? &paths.settings
                        : name == "--kafka"  ? &paths.kafka
                        : name == "--state"  ? &paths.state
                                             : nullptr;
    if (into == nullptr || i + 1 == argc)
      return invalid("agent.usage", fmt::format("{}: not understood", name));
    *into = argv[i + 1];
  }
  return paths;
}

// Each container has a handful of open files.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Status serve(const Paths& paths, const sigset_t& stop_signals, const Log& log) {
  SLIPWAY_ASSIGN(const auto settings_text, read_file(paths.settings));
  SLIPWAY_ASSIGN(const auto settings, machine_agent::parse_settings(settings_text));
  SLIPWAY_ASSIGN(const auto kafka_text, read_file(paths.kafka));
  SLIPWAY_ASSIGN(const auto properties, machine_agent::parse_properties(kafka_text));
  const machine_agent::SampleOrigin origin{settings.machine, fmt::format("{:016x}", random_u64()),
                                           SLIPWAY_VERSION};
  SLIPWAY_ASSIGN(
      const auto producer,
      kafka::SampleProducer::create({settings.topic, settings.machine, origin.boot_id, properties}, log));
  auto filesystems = settings.filesystems;
  filesystems.insert(filesystems.begin(),
                     {"", "/etc/hosts"});  // in a container it lies on the Engine's data root

  SystemClock clock;
  machine_agent::Sampler sampler{"/", origin, filesystems, log};
  machine_agent::Sender sender{*producer, clock, {}, log};
  machine_agent::StateFile state_file{paths.state, log};
  machine_agent::Agent agent{{sampler, sender, state_file, clock, log}, settings, origin};
  log.info("started",
           {{"machine", settings.machine}, {"version", SLIPWAY_VERSION}, {"boot_id", origin.boot_id}});
  Worker worker{[&agent](const std::stop_token& stop) { agent.run(stop); }};
  int signal = 0;
  ::sigwait(&stop_signals, &signal);
  log.info("stopping", {{"signal", std::to_string(signal)}});
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view{argv[1]} == "--version") {
    fmt::print("{}\n", SLIPWAY_VERSION);
    return 0;
  }
  const auto paths = parse_arguments(argc, argv);
  if (!paths) {
    fmt::print(stderr, "slipway-agent: {}\n{}", paths.error().message, kUsage);
    return 2;
  }
  // Before the first thread, so that all inherit it and sigwait alone gets them.
  sigset_t stop_signals;
  ::sigemptyset(&stop_signals);
  for (const int signal : {SIGTERM, SIGINT}) ::sigaddset(&stop_signals, signal);
  ::sigprocmask(SIG_BLOCK, &stop_signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  raise_file_limit();

  const auto log = Log::to_stderr().named("machine_agent");
  const auto served = serve(*paths, stop_signals, log);
  if (!served) log.error("cannot start", served.error());
  return served ? 0 : 1;
}
