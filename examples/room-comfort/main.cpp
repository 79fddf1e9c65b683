// Two sensors, one word: reads a thermometer's and a hygrometer's topic, says on / and on its own topic how
// the room feels. What Slipway gives a service is in its environment and below /run/slipway.
#include <atomic>
#include <csignal>
#include <iostream>
#include <thread>

#include "comfort.hpp"
#include "page.hpp"
#include "sensors.hpp"

namespace {
std::atomic<bool> stopping = false;
}

int main() {
  std::signal(SIGTERM, [](int) { stopping = true; });
  Comfort comfort;
  std::jthread reader([&] {
    try {
      read_sensors(comfort, stopping);
    } catch (const std::exception& trouble) {  // without its sensors the service is of no use: it ends
      std::cout << trouble.what() << std::endl;
      std::_Exit(1);
    }
  });
  std::cout << "room-comfort answers on :8080" << std::endl;
  serve(
      8080,
      [&](const std::string& path) -> std::string {
        if (path == "/healthz") return "\"well\"\n";
        return path == "/" ? comfort.told().dump() + "\n" : "";
      },
      stopping);
}
