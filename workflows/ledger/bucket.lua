-- Takes tokens from a bucket, or says how long to wait; then nothing is taken.
--
-- KEYS  1 bucket
-- ARGV  1 tokens a second   2 tokens it holds when full   3 tokens to take, at most as many as it holds
--       4 tokens that must be left over afterwards, for those who matter more
-- Returns '0', or the seconds to wait

local rate, burst, amount, reserve = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local was = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'blocked_until')
-- A clock that was set back must not take tokens away.
local passed = math.max(0, now - (tonumber(was[2] or now)))
local tokens = math.min(burst, (tonumber(was[1] or burst)) + passed * rate)
local wait = math.max((tonumber(was[3] or 0)) - now, (amount + reserve - tokens) / rate)
-- Never round down to nought, which would mean "taken".
if wait > 0 then return string.format('%.6f', math.max(wait, 0.001)) end
tokens = tokens - amount
redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((burst - tokens) / rate * 1000) + 1000))
return '0'
