#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

/// The last readings of one room and what they mean together. Any thread.
class Comfort {
 public:
  void temperature(double celsius) {
    const std::scoped_lock lock(mutex_);
    celsius_ = celsius;
    ++readings_;
  }
  void humidity(double percent) {
    const std::scoped_lock lock(mutex_);
    percent_ = percent;
    ++readings_;
  }
  /// {"comfort": "comfortable", "temperature": 21.5, ...}; null where no reading has come yet.
  nlohmann::json told() const {
    const std::scoped_lock lock(mutex_);
    nlohmann::json out{
        {"readings", readings_}, {"temperature", nullptr}, {"humidity", nullptr}, {"comfort", nullptr}};
    if (celsius_) out["temperature"] = *celsius_;
    if (percent_) out["humidity"] = *percent_;
    if (celsius_ && percent_) out["comfort"] = word(*celsius_, *percent_);
    return out;
  }

 private:
  static std::string word(double celsius, double percent) {
    if (celsius < 18) return "cold";
    if (celsius > 26) return "warm";
    if (percent < 30) return "dry";
    return percent > 65 ? "damp" : "comfortable";
  }

  mutable std::mutex mutex_;
  std::optional<double> celsius_, percent_;
  long readings_ = 0;
};
