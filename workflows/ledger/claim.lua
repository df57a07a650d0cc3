-- Finds what is due, moves it on, and says for which of it a wake-up shall be sent. Preceded by strange.lua and woken.lua.
-- Whoever looks has asked before whether anything is due at all: that is a command of its own, and no script.
--
-- KEYS  1 due   2 woken   3 the leader's lease   4.. the queues' lists
-- ARGV  1 token of who asks   2 how many at most   3 how long the leader's lease lives from now, milliseconds, or '' to leave it
--       4 seconds until a moved item is due again
-- Returns {now in microseconds or '', '1' leads | '0' does not, item...}; a set of due items that is none
--         is put aside, and the workers make what it should hold due again

local number, token = lease_at(KEYS[3])
if not number or token ~= ARGV[1] then return {'', '0'} end
if ARGV[3] ~= '' then redis.call('PEXPIRE', KEYS[3], ARGV[3]) end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local again = string.format('%d.%06d', time[1] + ARGV[4], time[2])
local queues = {}
for i = 4, #KEYS do queues[i - 3] = KEYS[i] end

local strange = {}
is_a(KEYS[1], 'zset', strange)
put_aside(strange)

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
