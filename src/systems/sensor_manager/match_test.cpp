#include "systems/sensor_manager/match.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::sensor_manager {
namespace {

using messages::Location;
using messages::Sensor;
using messages::SensorNeed;
using testing::HasSubstr;

Sensor sensor(std::string id, std::string type, std::optional<Location> location = {}) {
  Sensor out;
  out.sensor_id = std::move(id);
  out.type = std::move(type);
  out.location = std::move(location);
  return out;
}
SensorNeed need(std::string type, std::optional<Location> location = {}) {
  SensorNeed out;
  out.name = "air";
  out.type = std::move(type);
  out.location = std::move(location);
  return out;
}
Location at(std::string site, std::string room = {}) {
  Location out;
  out.site = std::move(site);
  out.room = std::move(room);
  return out;
}
Location point(double lat, double lon) {
  Location out;
  out.lat = lat;
  out.lon = lon;
  return out;
}

const std::vector<Sensor> kSensors{
    sensor("hall-1", "bme280", at("plant-2", "hall")),
    sensor("boiler-7", "bme280", at("plant-2", "boiler-room")),
    sensor("far", "bme280", at("plant-3", "boiler-room")),
    sensor("flow-1", "flow"),
};

std::string chosen(const SensorNeed& wanted, const std::vector<Sensor>& sensors = kSensors,
                   const std::map<std::string, std::string>& bound = {}) {
  const auto matched = match({wanted}, sensors, bound);
  return matched.found.contains("air") ? matched.found.at("air")->sensor_id
                                       : "missing: " + matched.missing.at("air");
}

TEST(Match, wants_the_same_type) {
  EXPECT_EQ(chosen(need("flow")), "flow-1");
  EXPECT_EQ(chosen(need("bme280")), "boiler-7");  // the first by id
}

TEST(Match, wants_the_same_site_and_room_where_they_are_named) {
  EXPECT_EQ(chosen(need("bme280", at("plant-3"))), "far");
  EXPECT_EQ(chosen(need("bme280", at("plant-2", "hall"))), "hall-1");
  EXPECT_EQ(chosen(need("bme280", at("", "boiler-room"))), "boiler-7");
  EXPECT_THAT(chosen(need("flow", at("plant-2"))), HasSubstr("missing: "));
}

TEST(Match, keeps_the_one_that_was_bound) {
  EXPECT_EQ(chosen(need("bme280"), kSensors, {{"air", "far"}}), "far");
  EXPECT_EQ(chosen(need("bme280", at("plant-2")), kSensors, {{"air", "far"}}), "boiler-7");
}

TEST(Match, takes_the_nearest_to_a_point) {
  const std::vector<Sensor> points{sensor("a", "t", point(52.6, 13.4)), sensor("b", "t", point(52.5, 13.4)),
                                   sensor("c", "t", at("plant-2"))};
  EXPECT_EQ(chosen(need("t", point(52.51, 13.4)), points), "b");
  EXPECT_THAT(chosen(need("t", point(52.51, 13.4)), {sensor("c", "t")}), HasSubstr("missing: "));
}

TEST(Match, names_the_nearest_candidates_of_what_is_missing) {
  const std::string elsewhere = chosen(need("bme280", at("plant-9", "roof")));
  EXPECT_THAT(elsewhere, HasSubstr("no sensor of type bme280 at plant-9/roof"));
  EXPECT_THAT(elsewhere, HasSubstr("boiler-7 (plant-2/boiler-room)"));
  EXPECT_THAT(chosen(need("bme281")), HasSubstr("did you mean bme280?"));
  EXPECT_THAT(chosen(need("camera")), HasSubstr("there are bme280, flow"));
  EXPECT_THAT(chosen(need("camera"), {}), HasSubstr("no sensor is registered"));
}

}  // namespace
}  // namespace slipway::sensor_manager
