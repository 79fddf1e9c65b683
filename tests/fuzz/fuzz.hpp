#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace slipway::fuzz {

/// Chance that is the same on every machine (splitmix64).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// 0 to below - 1; 0 if `below` is 0.
  std::size_t below(std::size_t below);

 private:
  std::uint64_t state_;
};

/// What a parser is fed with. Every input is made from the seed and the number of its round alone, so that a
/// round that fails, or that kills the process, can be run again by itself.
struct Target {
  const char* name;
  std::vector<std::string> corpus;  ///< fed as it is first, then changed
  std::vector<std::string> words;   ///< put in here and there: what the grammar is made of
  std::size_t rounds;               ///< $FUZZ_ROUNDS wins
  std::function<void(const std::string& input)> check;  ///< fails by gtest's means
  std::function<void(std::string& input, Dice& dice)> mend =
      {};  ///< after the changes: check sums and the like
};

/// Feeds the corpus, then $FUZZ_ROUNDS changed inputs. Stops at the first that fails or takes longer than ten
/// seconds, and says how to run it again: $FUZZ_SEED and $FUZZ_ROUND; the input itself is kept in the
/// temporary folder. Where the process dies, `<temporary folder>/fuzz_<name>.round` holds the round.
void run(const Target& target);

/// The files of a folder below the repository's root, in order.
std::vector<std::string> files_of(const std::string& folder);

}  // namespace slipway::fuzz
