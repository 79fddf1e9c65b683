#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "ports/http.hpp"

namespace slipway::ports {

/// An HTTP server under test with a client for it. One for each test.
class HttpServerBench {
 public:
  struct Answer {
    int status = 0;
    std::string content_type, body;
  };
  /// The reading end of an answer that goes on.
  class Reader {
   public:
    virtual ~Reader() = default;
    /// All that came so far, waiting at most 10 s until `end` is in it.
    virtual std::string read_until(const std::string& end) = 0;
    /// True when the server has ended the answer; waits at most 10 s.
    virtual bool ended() = 0;
    virtual void hang_up() = 0;
  };
  virtual ~HttpServerBench() = default;
  virtual HttpServer& server() = 0;
  virtual Answer ask(const std::string& method, const std::string& target, const std::string& body) = 0;
  virtual std::unique_ptr<Reader> open(const std::string& target) = 0;
};

using MakeHttpServerBench = std::function<std::unique_ptr<HttpServerBench>()>;

/// What every HttpServer promises: http_server_suite.cpp is compiled into one program with both kinds.
class HttpServerSuite : public ::testing::TestWithParam<MakeHttpServerBench> {};

}  // namespace slipway::ports
