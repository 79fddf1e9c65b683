#include "ports/request_loop.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/backoff.hpp"
#include "ports/dead_letter.hpp"

namespace slipway::ports {
namespace {

constexpr std::size_t kMostWaiting = 1000;
constexpr std::size_t kMostAtOnce = 100;
constexpr milliseconds kPollFor{250};
constexpr milliseconds kPollAgainAfter{1000};
constexpr milliseconds kFirstPause{100}, kLongestPause{5000};
constexpr std::chrono::seconds kComplainEvery{10};
constexpr int kMostAttempts = 3;
// A process that ended begins with the record that it ended at, give or take what was not committed yet: so
// many records of a partition are counted after each assignment. All of them would cost a write for every
// request.
constexpr int kCounted = 100;

}  // namespace

struct RequestLoop::State final : RebalanceListener {
  State(Bus& a_bus, Clock& a_clock, Log a_log, Options the_options, Handler a_handler)
      : bus(a_bus),
        clock(a_clock),
        log(std::move(a_log)),
        options(std::move(the_options)),
        handler(std::move(a_handler)) {}

  Bus& bus;
  Clock& clock;
  const Log log;
  const Options options;
  const Handler handler;
  // The rest belongs to the loop's thread.
  std::unique_ptr<Consumer> consumer;
  std::deque<Record> waiting;
  Backoff pause{kFirstPause, kLongestPause};
  MonoTime not_before{};  // of the next try of waiting.front()
  MonoTime last_poll{};
  std::optional<MonoTime> complained_at;
  int unsaid = 0;                          // dead letters since the last line about them
  std::map<TopicPartition, int> to_count;  // records of the partition that are still to be counted
  std::optional<Attempts> begun;           // the count of waiting.front()

  ~State() override { consumer.reset(); }  // revokes: needs the others

  void assigned(std::span<const TopicPartition> partitions) override {
    for (const auto& at : partitions) to_count[at] = options.attempts == nullptr ? 0 : kCounted;
  }
  void revoked(std::span<const TopicPartition> partitions) override {
    std::erase_if(waiting, [&](const Record& record) {
      for (const auto& at : partitions)
        if (at.topic == record.topic && at.partition == record.partition) return true;
      return false;
    });
  }

  void join(const std::stop_token& stop) {
    auto joined = bus.join_group(options.group, options.topics, this);
    if (joined) {
      consumer = std::move(*joined);
      pause.reset();
    } else {
      log.warn("joining the group " + options.group + " failed, trying again", joined.error());
      clock.sleep(pause.next(), stop);
    }
  }

  void poll(milliseconds wait_at_most, const std::stop_token& stop) {
    const std::size_t room = kMostWaiting - waiting.size();
    last_poll = clock.mono();
    auto records = consumer->poll(std::min(room, kMostAtOnce), wait_at_most);
    if (!records) {
      log.warn("reading requests failed, trying again", records.error());
      clock.sleep(kPollAgainAfter, stop);
      return;
    }
    for (auto& record : *records) waiting.push_back(std::move(record));
  }

  /// Waits for the pause of a failed record to pass, reading ahead as long as there is room.
  void wait_for_retry(const std::stop_token& stop) {
    const auto left = std::chrono::ceil<milliseconds>(not_before - clock.mono());
    const auto step = std::clamp(left, milliseconds{1}, kPollFor);
    if (waiting.size() < kMostWaiting)
      poll(step, stop);
    else
      clock.sleep(step, stop);
  }

  void handle_front() {
    const Record& record = waiting.front();
    Status status = count_attempt(record);
    if (status)
      status = record.value && !record.value->empty()
                   ? handler(record)
                   : Status{invalid("request.empty", "a request without a value")};
    if (!status && !may_pass(status.error())) status = bury(record, status.error());
    if (status) {
      settle();
      return;
    }
    not_before = clock.mono() + pause.next();
    if (pause.tries() == 1 || pause.tries() % 10 == 0)
      log.warn("a request at " + record.place() + " cannot be handled yet, trying again", status.error());
  }

  // A right that this system lacks on Kafka says nothing against the request: it waits until somebody grants
  // the right.
  static bool may_pass(const Error& error) { return error.retryable() || error.code == "kafka.denied"; }
  // Written before the handler runs: whoever comes after a process that died in it finds the count.
  Status count_attempt(const Record& record) {
    const std::string place = record.topic + "/" + std::to_string(record.partition);
    if (begun && begun->place == place && begun->offset == record.offset) return {};
    int& left = to_count[{record.topic, record.partition}];
    if (left == 0) return {};
    SLIPWAY_ASSIGN(const auto known, options.attempts->find(place));
    Attempts attempts{place, record.offset, 1};
    if (known && known->offset == record.offset) attempts.count = known->count + 1;
    if (attempts.count > kMostAttempts)
      return invalid("request.crashed_the_server",
                     "the process ended each of the " + std::to_string(kMostAttempts) +
                         " times that this record was handled",
                     "it was not read again; please report it");
    SLIPWAY_TRY(options.attempts->put(attempts));
    begun = std::move(attempts);
    --left;
    return {};
  }

  // Ended in order, while a record waited for its next try: that was no crash.
  void forgive() {
    if (begun && !waiting.empty() && begun->offset == waiting.front().offset)
      if (auto forgiven = options.attempts->remove(begun->place); !forgiven)
        log.warn("the attempts of a record could not be taken back", forgiven.error());
  }

  void settle() {
    const Record& record = waiting.front();
    if (const auto stored = consumer->store_offset({record.topic, record.partition}, record.offset + 1);
        !stored)
      log.info("an offset was not stored: " +
               to_string(stored.error()));  // handled again elsewhere: harmless
    waiting.pop_front();
    pause.reset();
    not_before = {};
  }

  /// To the dead-letter topic. Success means that it is there; every failure is to be retried.
  Status bury(const Record& record, const Error& reason) {
    complain(record, reason);
    return write_dead_letter(bus, options.deadletter_topic, options.source, record, reason);
  }

  // One line now and then, not one per poisoned record.
  void complain(const Record& record, const Error& reason) {
    ++unsaid;
    if (complained_at && clock.mono() - *complained_at < kComplainEvery) return;
    complained_at = clock.mono();
    log.warn("a record went to the dead-letter topic", {{"place", record.place()},
                                                        {"reason", to_string(reason)},
                                                        {"since_last_line", std::to_string(unsaid)}});
    unsaid = 0;
  }
};

RequestLoop::RequestLoop(Bus& bus, Clock& clock, Log log, Options options, Handler handler)
    : state_(std::make_unique<State>(bus, clock, std::move(log), std::move(options), std::move(handler))),
      worker_([this](const std::stop_token& stop) { run(stop); }) {}

RequestLoop::~RequestLoop() {
  worker_.stop();
}

void RequestLoop::run(const std::stop_token& stop) {
  State& state = *state_;
  while (!stop.stop_requested()) {
    if (!state.consumer) {
      state.join(stop);
    } else if (state.waiting.empty()) {
      state.poll(kPollFor, stop);
    } else if (state.clock.mono() < state.not_before) {
      state.wait_for_retry(stop);
    } else {
      state.handle_front();
      const bool due = state.clock.mono() - state.last_poll >= kPollAgainAfter;
      if (due && state.waiting.size() < kMostWaiting) state.poll(milliseconds{0}, stop);
    }
  }
  state.forgive();
}

struct TopicReader::State {
  State(Bus& a_bus, Clock& a_clock, Log a_log, std::vector<std::string> the_topics, From a_from,
        Handler a_handler)
      : bus(a_bus),
        clock(a_clock),
        log(std::move(a_log)),
        topics(std::move(the_topics)),
        from(a_from),
        handler(std::move(a_handler)) {}

  Bus& bus;
  Clock& clock;
  const Log log;
  const std::vector<std::string> topics;
  const From from;
  const Handler handler;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  bool ready = false;
  bool caught_up = false;

  // The loop's thread's own.
  std::map<TopicPartition, std::int64_t> behind;  // partition -> end that is to be reached

  void set(bool State::* flag) {
    std::lock_guard lock(mutex);
    this->*flag = true;
    changed.notify_all();
  }
  bool wait(bool State::* flag, milliseconds timeout) const {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, timeout, [&] { return this->*flag; });
  }

  Result<std::unique_ptr<Consumer>> open() {
    SLIPWAY_ASSIGN(auto consumer, bus.read_all(topics, from));
    if (from == From::kBeginning) {
      SLIPWAY_ASSIGN(const auto ranges, bus.ranges(topics));
      for (const auto& [at, range] : ranges)
        if (range.end > range.begin) behind[at] = range.end;
    }
    return consumer;
  }

  void hand_over(const Record& record) {
    handler(record);
    const auto found = behind.find({record.topic, record.partition});
    if (found != behind.end() && record.offset + 1 >= found->second) behind.erase(found);
  }
};

TopicReader::TopicReader(Bus& bus, Clock& clock, Log log, std::vector<std::string> topics, From from,
                         Handler handler)
    : state_(
          std::make_unique<State>(bus, clock, std::move(log), std::move(topics), from, std::move(handler))),
      worker_([this](const std::stop_token& stop) { run(stop); }) {}

TopicReader::~TopicReader() {
  worker_.stop();
}

bool TopicReader::wait_ready(milliseconds timeout) const {
  return state_->wait(&State::ready, timeout);
}

bool TopicReader::wait_caught_up(milliseconds timeout) const {
  return state_->wait(&State::caught_up, timeout);
}

void TopicReader::run(const std::stop_token& stop) {
  State& state = *state_;
  Backoff pause{kFirstPause, kLongestPause};
  std::unique_ptr<Consumer> consumer;
  while (!consumer && !stop.stop_requested()) {
    auto opened = state.open();
    if (opened) {
      consumer = std::move(*opened);
    } else {
      if (pause.tries() == 0) state.log.warn("reading topics cannot begin, trying again", opened.error());
      state.clock.sleep(pause.next(), stop);
    }
  }
  if (!consumer) return;
  state.set(&State::ready);
  // The last records of a topic may be gone by the time they are read (compaction, retention): what has been
  // silent this long is read to its end.
  constexpr std::chrono::seconds kSilence{10};
  MonoTime last_record = state.clock.mono();
  bool caught_up = false;
  while (!stop.stop_requested()) {
    if (!caught_up && (state.behind.empty() || state.clock.mono() - last_record > kSilence)) {
      caught_up = true;
      state.set(&State::caught_up);
    }
    auto records = consumer->poll(kMostAtOnce, kPollFor);
    if (!records) {
      state.log.warn("reading topics failed, trying again", records.error());
      last_record = state.clock.mono();  // silence of a broker that is away says nothing
      state.clock.sleep(kPollAgainAfter, stop);
      continue;
    }
    for (const Record& record : *records) {
      state.hand_over(record);
      last_record = state.clock.mono();
    }
  }
}

}  // namespace slipway::ports
