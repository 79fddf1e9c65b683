#pragma once

#include <bson/bson.h>

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"

namespace slipway::repository {

/// Owns a BSON document.
class Bson {
 public:
  Bson() : bson_(bson_new()) {}
  /// From a JSON object in the shape of ports/stores/codec.hpp: {"$date": ms} becomes a date, binary values
  /// BSON binary, whole numbers int64; text that is not UTF-8 is repaired, visibly.
  explicit Bson(const nlohmann::json& object);
  Bson(const Bson&) = delete;  // a bson_t has no cheap copy
  Bson& operator=(const Bson&) = delete;
  Bson(Bson&& other) noexcept : bson_(std::exchange(other.bson_, nullptr)) {}
  ~Bson() {
    if (bson_) bson_destroy(bson_);
  }
  bson_t* get() const { return bson_; }

 private:
  bson_t* bson_;
};

/// The same shape back; object ids become their 24 hex digits.
nlohmann::json to_json(const bson_t& document);

}  // namespace slipway::repository
