-- Finds what is due, moves it on, and says for which of it a wake-up shall be sent. Preceded by woken.lua.
--
-- An idle look costs one command in here: inner commands count for the server, too.
--
-- KEYS  1 due   2 woken   3 the leader's lease   4.. the queues' lists
-- ARGV  1 token of who asks   2 how many at most   3 a score that is surely above now, or '+inf': nothing up to it, no need to look closer
--       4 how long the leader's lease lives from now, milliseconds, or '' to leave it   5 seconds until a moved item is due again
-- Returns {now in microseconds or '', '1' leads | '0' does not | '' was not looked at, item...}

if ARGV[4] == '' and redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[3]) == 0 then return {'', ''} end

local held = redis.call('GET', KEYS[3])
if not held or string.match(held, '^%d+:(.*)$') ~= ARGV[1] then return {'', '0'} end
if ARGV[4] ~= '' then redis.call('PEXPIRE', KEYS[3], ARGV[4]) end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local again = string.format('%d.%06d', time[1] + ARGV[5], time[2])
local queues = {}
for i = 4, #KEYS do queues[i - 3] = KEYS[i] end

local answer = {string.format('%.0f', now), '1'}
local score = string.format('%d.%06d', time[1], time[2])
for _, item in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', score, 'LIMIT', 0, ARGV[2])) do
  redis.call('ZADD', KEYS[1], again, item)
  if not waits(KEYS[2], queues, item, now) then
    redis.call('HSET', KEYS[2], item, string.format('%.0f', now))
    answer[#answer + 1] = item
  end
end
return answer
