-- Takes tokens from a bucket, or says how long to wait; then nothing is taken.
--
-- KEYS  1 bucket   2 perhaps a gate: while that one is blocked nothing is taken
-- ARGV  1 tokens a second   2 tokens it holds when full   3 tokens to take, at most as many as it holds
--       4 tokens that must be left over afterwards, for those who matter more
--       5 seconds that a block lasts at most
--       6 of those who stand in line: seconds that the line is long at most; 0 for whoever does not
-- Returns '0', or the seconds to wait
--
-- A bucket that holds what we do not write, or what was written by a clock that has been set back since, is a new one:
-- everybody waits for these.

local rate, burst, amount, reserve = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local was = redis.pcall('HMGET', KEYS[1], 'tokens', 'at', 'blocked_until', 'line')
local strange = was.err ~= nil
-- A comparison with what is not a number at all, which Lua reads from 'nan', is false.
local function within(words, high, otherwise)
  if not words then return otherwise end
  local found = tonumber(words)
  if found and found >= 0 and found <= high then return found end
  strange = true
end
local tokens, at = within(was[1], math.huge, burst), within(was[2], now + 1, now)
local blocked_until = within(was[3], now + tonumber(ARGV[5]), 0)
-- When the last of those in line was told to come again: nothing is kept for them, but they do not come all at once.
local line = within(was[4], math.huge, 0)
local function live(seconds)
  local life = math.ceil(seconds * 1000) + 1000
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(life, redis.call('PTTL', KEYS[1]))))
end
if strange then
  redis.call('DEL', KEYS[1])
  tokens, at, blocked_until, line = burst, now, 0, 0
end
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
-- A gate that holds what we do not write, or was shut by a clock that has been set back since, is open.
local gate = KEYS[2] and redis.pcall('HMGET', KEYS[2], 'blocked_until', 'blocked_at') or {}
local shut_until, shut_at = tonumber(gate[1] or ''), tonumber(gate[2] or '')
if not (shut_until and shut_at and shut_until <= now + tonumber(ARGV[5]) and shut_at <= now + 1) then shut_until = 0 end
local wait = math.max(blocked_until - now, shut_until - now, (amount + reserve - tokens) / rate)
if wait > 0 and tonumber(ARGV[6]) > 0 then
  wait = math.min(math.max(wait, line + 1 / rate - now), wait + tonumber(ARGV[6]))
  redis.call('HSET', KEYS[1], 'line', string.format('%.6f', now + wait))
  live(wait)
end
-- Never round down to nought, which would mean "taken".
if wait > 0 then return string.format('%.6f', math.max(wait, 0.001)) end
tokens = tokens - amount
redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens), 'at', string.format('%.6f', now))
live((burst - tokens) / rate)
return '0'
