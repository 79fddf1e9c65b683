#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace slipway::ports {

/// Takes the samples of one machine to the broker: all that the Machine Agent needs of Kafka. One thread.
class SampleTransport {
 public:
  virtual ~SampleTransport() = default;
  /// Hands a sample over; its bytes are copied. Its end is reported by poll() exactly once.
  /// kUnavailable: nothing is taken at the moment.
  virtual Status send(std::int64_t seq, WallTime t, std::string_view json) = 0;
  /// How one sample ended: confirmed by the broker, or not (kInvalid: it will never be taken).
  using Report = std::function<void(std::int64_t seq, const Status& result)>;
  /// Reports what ended since, waiting at most `timeout` for the first.
  virtual void poll(milliseconds timeout, const Report& report) = 0;
  /// What is wrong with the broker, as far as is known without sending; success while nothing is.
  virtual Status health() const = 0;
};

}  // namespace slipway::ports
