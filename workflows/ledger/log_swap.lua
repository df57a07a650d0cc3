-- Puts a log that was made beside the audit log in its place, in one step.
--
-- KEYS  1 the made stream   2 its private   3 audit stream   4 audit private   5 audit head
-- ARGV  1 '<number>:<link>' of its newest entry
-- Returns 1

redis.call('RENAME', KEYS[1], KEYS[3])
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('RENAME', KEYS[2], KEYS[4])
else
  redis.call('DEL', KEYS[4])
end
redis.call('SET', KEYS[5], ARGV[1])
return 1
