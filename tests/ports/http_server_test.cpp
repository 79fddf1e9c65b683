#include <chrono>
#include <condition_variable>
#include <mutex>

#include "adapters/http/client.hpp"
#include "adapters/http/server.hpp"
#include "base/thread.hpp"
#include "tests/fakes/fake_http_server.hpp"
#include "tests/ports/http_server_suite.hpp"

namespace slipway::ports {
namespace {

using namespace std::chrono_literals;

class FakeBench final : public HttpServerBench {
 public:
  HttpServer& server() override { return fake_; }
  Answer ask(const std::string& method, const std::string& target, const std::string& body) override {
    const auto answer = fake_.ask(method, target, body);
    return {answer.status, answer.content_type, answer.body};
  }
  std::unique_ptr<Reader> open(const std::string& target) override {
    return std::make_unique<FakeReader>(fake_.ask("GET", target).stream);
  }

 private:
  class FakeReader final : public Reader {
   public:
    explicit FakeReader(std::shared_ptr<fakes::FakeHttpStream> stream) : stream_(std::move(stream)) {}
    std::string read_until(const std::string&) override { return all_ += stream_->take(); }
    bool ended() override { return stream_->finished(); }
    void hang_up() override { stream_->hang_up(); }

   private:
    std::shared_ptr<fakes::FakeHttpStream> stream_;
    std::string all_;
  };
  fakes::FakeHttpServer fake_;
};

class BeastBench final : public HttpServerBench {
 public:
  BeastBench() {
    http::ServerSettings settings;
    settings.port = 0;
    auto made = http::listen(settings, Log::silent());
    EXPECT_TRUE(made);
    server_ = std::move(*made);
  }
  ~BeastBench() override { server_->stop(); }
  HttpServer& server() override { return *server_; }
  Answer ask(const std::string& method, const std::string& target, const std::string& body) override {
    http::Request request;
    request.method = method;
    request.target = target;
    request.body = body;
    auto response = client().call(request);
    if (!response) return {0, {}, response.error().message};
    return {response->status, response->header("content-type"), response->body};
  }
  std::unique_ptr<Reader> open(const std::string& target) override {
    return std::make_unique<BeastReader>(client(), target);
  }

 private:
  http::Client client() const {
    return http::Client(*http::Address::parse("http://127.0.0.1:" + std::to_string(server_->port())));
  }
  class BeastReader final : public Reader {
   public:
    BeastReader(http::Client client, const std::string& target)
        : client_(std::move(client)), worker_([this, target](const std::stop_token& stop) {
            http::Request request;
            request.target = target;
            request.deadline = 0ms;
            const auto take = [this](std::string_view piece) {
              const std::scoped_lock lock(mutex_);
              all_ += piece;
              changed_.notify_all();
              return true;
            };
            const auto response = client_.stream(request, take, stop);
            const std::scoped_lock lock(mutex_);
            ended_ = response.has_value();
            changed_.notify_all();
          }) {}
    std::string read_until(const std::string& end) override {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, 10s, [&] { return all_.contains(end); });
      return all_;
    }
    bool ended() override {
      std::unique_lock lock(mutex_);
      return changed_.wait_for(lock, 10s, [&] { return ended_; });
    }
    void hang_up() override { worker_.stop(); }

   private:
    http::Client client_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string all_;
    bool ended_ = false;
    Worker worker_;  // last: uses all the others
  };
  std::unique_ptr<HttpServer> server_;
};

INSTANTIATE_TEST_SUITE_P(Fake, HttpServerSuite, testing::Values([]() -> std::unique_ptr<HttpServerBench> {
                           return std::make_unique<FakeBench>();
                         }));
INSTANTIATE_TEST_SUITE_P(Beast, HttpServerSuite, testing::Values([]() -> std::unique_ptr<HttpServerBench> {
                           return std::make_unique<BeastBench>();
                         }));

}  // namespace
}  // namespace slipway::ports
