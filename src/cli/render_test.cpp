#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/time_text.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/status_text.hpp"

namespace slipway::cli {
namespace {

using nlohmann::json;

const WallTime kNow = *parse_rfc3339("2026-11-22T12:00:00Z");

TEST(Progress, draws_rows_as_they_are_promised) {
  ProgressRow row{"Build", ProgressRow::State::kDone, "4/4 steps, 2 cached", kNow, milliseconds{11'300}};
  EXPECT_EQ(render_row(row, kNow, 0, {.width = 78, .unicode = true, .colour = false}),
            "  ✓ Build      4/4 steps, 2 cached                                      11.3 s");
  row = {"Healthy", ProgressRow::State::kRunning, "GET :8080/healthz -> 503", kNow - milliseconds{6'100}, {}};
  EXPECT_EQ(render_row(row, kNow, 2, {.width = 78, .unicode = true, .colour = false}),
            "  ⠹ Healthy    GET :8080/healthz -> 503                                  6.1 s");
  EXPECT_EQ(render_row(row, kNow, 2, {.width = 78, .unicode = false, .colour = false}),
            "  | Healthy    GET :8080/healthz -> 503                                  6.1 s");
}

TEST(Progress, cuts_what_does_not_fit_and_escapes_what_could_harm) {
  const ProgressRow row{"Build", ProgressRow::State::kFailed, "\x1b[2J" + std::string(200, 'x'), kNow,
                        milliseconds{100}};
  const std::string line = render_row(row, kNow, 0, {.width = 40, .unicode = true, .colour = false});
  EXPECT_EQ(shown_width(line), 40U);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST(Output, knows_units_and_ages) {
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(412'000), "412 kB");
  EXPECT_EQ(human_bytes(4'012'345'678), "4.0 GB");
  EXPECT_EQ(human_age("2026-11-22T11:59:58.500Z", kNow), "1.5 s ago");
  EXPECT_EQ(human_age("2026-11-22T12:00:05Z", kNow), "0.0 s ago") << "a clock that is ahead";
  EXPECT_EQ(human_age("", kNow), "-");
}

TEST(Output, writes_yaml_that_reads_as_the_same) {
  EXPECT_EQ(
      to_yaml(json::parse(
          R"({"a":[{"b":1,"c":"x"},[]],"d":{},"e":"yes","f":"1.10","g":null,"h":"two words","i":"a: b","j":true})")),
      "a:\n  - b: 1\n    c: x\n  - []\nd: {}\ne: \"yes\"\nf: \"1.10\"\ng: null\nh: two words\ni: \"a: "
      "b\"\nj: true\n");
}

TEST(Status, is_one_screen_that_ends_with_the_systems) {
  const json status = json::parse(R"({
    "machines": [{"name": "edge-1", "state": "up", "last_sample_at": "2026-11-22T11:59:59Z",
                  "usage": {"cpu": 12.5, "mem_used": 1, "mem_total": 2, "disk_used": 9, "disk_total": 10,
                            "rx_bps": 1200, "tx_bps": 30, "load": [0.5, 0.4, 0.3]}},
                 {"name": "edge-2", "state": "down", "cause": "link", "last_sample_at": null, "usage": null}],
    "services": [{"name": "boiler-monitor", "release": 7, "version": "1.4.0", "state": "running", "health": "healthy",
                  "machine": "edge-1", "ports": [{"target": 8080, "address": "127.0.0.1:49153"}],
                  "sensors": [{"name": "air", "state": "reporting"}],
                  "containers": [{"name": "boiler-monitor-7-1", "cpu": 1.2, "mem": 61000000}]}],
    "problems": ["machine edge-2 is down"],
    "systems": [{"name": "Kafka", "state": "up", "detail": "answers"}, {"name": "Docker", "state": "degraded", "detail": "no answer from the Engine of edge-2"}],
    "ok": false})");
  EXPECT_EQ(status_text(status, kNow, {.unicode = true, .wide = false}),
            "MACHINE  STATE        CPU             MEMORY          DISK            NETWORK                 "
            "LOAD  LAST SEEN\n"
            "edge-1   up           ▇░░░░░░░  12 %  ▇▇▇▇░░░░  50 %  ▇▇▇▇▇▇▇░  90 %  in 1.2 kB/s out 30 B/s  "
            "0.50  1.0 s ago\n"
            "edge-2   down (link)  -               -               -               -                       - "
            "    -\n"
            "\n"
            "SERVICE         RELEASE  VERSION  STATE    HEALTH   MACHINE  PORTS                  SENSORS     "
            "   USAGE\n"
            "boiler-monitor  7        1.4.0    running  healthy  edge-1   127.0.0.1:49153->8080  air "
            "reporting  1.2 % 61.0 MB\n"
            "\n"
            "1 thing needs attention:\n"
            "  - machine edge-2 is down\n"
            "\n"
            "SYSTEM  STATE\n"
            "Kafka   up\n"
            "Docker  degraded  no answer from the Engine of edge-2\n");
}

TEST(Status, tells_a_newcomer_what_comes_next) {
  const std::string text = status_text(json::object(), kNow, {});
  EXPECT_NE(text.find("slipway machine add"), std::string::npos);
  EXPECT_NE(text.find("slipway deploy"), std::string::npos);
}

}  // namespace
}  // namespace slipway::cli
