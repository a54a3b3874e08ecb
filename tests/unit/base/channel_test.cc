#include "base/channel.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace assay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongWait{10'000};

TEST(Channel, RefusesWhatDoesNotFit) {
  Channel<int> channel(2);
  EXPECT_TRUE(channel.try_push(1));
  EXPECT_TRUE(channel.try_push(2));
  EXPECT_FALSE(channel.try_push(3));
  EXPECT_EQ(channel.pop_all(milliseconds(0)), (std::vector<int>{1, 2}));
  EXPECT_TRUE(channel.try_push(3));
}

TEST(Channel, IsFinishedOnceClosedAndDrained) {
  Channel<int> channel(2);
  EXPECT_TRUE(channel.try_push(1));
  channel.close();
  EXPECT_FALSE(channel.try_push(2));
  EXPECT_FALSE(channel.finished());
  EXPECT_EQ(channel.pop_all(kLongWait), std::vector<int>{1});
  EXPECT_TRUE(channel.finished());
  EXPECT_TRUE(channel.pop_all(kLongWait).empty());
}

TEST(Channel, MovesItemsThatCannotBeCopied) {
  Channel<std::unique_ptr<int>> channel(1);
  EXPECT_TRUE(channel.try_push(std::make_unique<int>(7)));
  EXPECT_EQ(*channel.pop_all(milliseconds(0)).at(0), 7);
}

TEST(Channel, DeliversEverythingFromSeveralThreadsInEachOnesOrder) {
  constexpr int kProducers = 3;
  constexpr int kItems = 2'000;
  Channel<std::pair<int, int>> channel(16);
  std::vector<std::jthread> producers;
  for (int producer = 0; producer < kProducers; ++producer) {
    producers.emplace_back([&channel, producer] {
      for (int item = 0; item < kItems; ++item) {
        while (!channel.try_push({producer, item})) std::this_thread::yield();
      }
    });
  }
  std::vector<int> next(kProducers, 0);
  for (int received = 0; received < kProducers * kItems;) {
    for (const auto& [producer, item] : channel.pop_all(kLongWait)) {
      EXPECT_EQ(item, next[static_cast<size_t>(producer)]++);
      ++received;
    }
  }
}

TEST(Channel, CloseWakesTheThreadThatWaits) {
  Channel<int> channel(1);
  const std::jthread closer([&channel] { channel.close(); });
  EXPECT_TRUE(channel.pop_all(kLongWait).empty());
  EXPECT_TRUE(channel.finished());
}

}  // namespace
}  // namespace assay
