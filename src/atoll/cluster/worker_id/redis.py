"""Worker ids over Redis: every step is one script, judged by the server's clock."""

from __future__ import annotations

import secrets
from typing import Any

from typing_extensions import override

from atoll.cluster.redis import RedisConnection
from atoll.cluster.worker_id.base import (
    IN_ADVANCE,
    LEASE_SECONDS,
    LEAST_BITS,
    WorkerIdLease,
    WorkerIds,
    elapsed,
)

# What all three scripts know. KEYS: holders (number to holder), leases (number to the end of its lease, ms),
# ends (number to the end of its last window, s; "base" for numbers that have none), facts (bits, token).
# Without "base" the data is new or lost: whatever was granted before ended within two leases from now.
KNOWN = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local text = function(number) return string.format('%.0f', number) end
local base = function(length)
  local known = redis.call('HGET', KEYS[3], 'base')
  if known then return tonumber(known) end
  local first = math.floor(now + 2 * length) + 2
  redis.call('HSET', KEYS[3], 'base', text(first))
  return first
end
local window_end = function(used, length)
  return math.floor(math.max(now + length, used + 1 + IN_ADVANCE)) + 1
end
""".replace("IN_ADVANCE", str(IN_ADVANCE))
# ARGV: holder, bits, length of a lease in s. Gives {number, token, opens, ends, now}; {-1} when none is free;
# {-2, bits} when others hold ids of another width. Asked again by the same holder (the answer was lost), it
# gives the same number.
ACQUIRE = (
    KNOWN
    + """
local length = tonumber(ARGV[3])
local first = base(length)
local holders = {}
local living = 0
local pairs_of = redis.call('HGETALL', KEYS[1])
for at = 1, #pairs_of, 2 do
  local ends = tonumber(redis.call('HGET', KEYS[2], pairs_of[at]) or '0')
  if ends > now * 1000 then
    holders[pairs_of[at]] = pairs_of[at + 1]
    living = living + 1
  end
end
local bits = redis.call('HGET', KEYS[4], 'bits')
if bits and bits ~= ARGV[2] then
  if living > 0 then return {-2, tonumber(bits)} end
  local past = redis.call('HVALS', KEYS[3])
  for _, ends in ipairs(past) do first = math.max(first, tonumber(ends)) end
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[3], 'base', text(first))
end
redis.call('HSET', KEYS[4], 'bits', ARGV[2])
local number, opens
for each = 0, 2 ^ tonumber(ARGV[2]) - 1 do
  local name = text(each)
  if holders[name] == ARGV[1] then
    number, opens = name, tonumber(redis.call('HGET', KEYS[3], name))
    break
  end
  if not holders[name] then
    local ended = tonumber(redis.call('HGET', KEYS[3], name) or first)
    if not opens or ended < opens then number, opens = name, ended end
  end
end
if not number then return {-1} end
opens = math.max(opens, math.floor(now))
local ends = window_end(opens, length)
local token = math.max(now * 1000000, tonumber(redis.call('HGET', KEYS[4], 'token') or '0') + 1)
redis.call('HSET', KEYS[4], 'token', text(token))
redis.call('HSET', KEYS[1], number, ARGV[1])
redis.call('HSET', KEYS[2], number, text((now + length) * 1000))
redis.call('HSET', KEYS[3], number, text(ends))
return {tonumber(number), text(token), opens, ends, tostring(now)}
"""
)
# ARGV: holder, bits, length, number, used, end of the window, token. Gives {ends, now}; {-1} when it is lost.
# A number that the service knows nothing of was granted before the data was lost: it is taken up again.
RENEW = (
    KNOWN
    + """
local length = tonumber(ARGV[3])
local holder = redis.call('HGET', KEYS[1], ARGV[4])
local bits = redis.call('HGET', KEYS[4], 'bits')
if bits and bits ~= ARGV[2] then return {-1} end
if holder ~= ARGV[1] and (holder or redis.call('HEXISTS', KEYS[3], ARGV[4]) == 1) then return {-1} end
base(length)
local ends = math.max(tonumber(ARGV[6]), window_end(tonumber(ARGV[5]), length))
local token = math.max(tonumber(ARGV[7]), tonumber(redis.call('HGET', KEYS[4], 'token') or '0'))
redis.call('HSET', KEYS[4], 'bits', ARGV[2], 'token', text(token))
redis.call('HSET', KEYS[1], ARGV[4], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[4], text((now + length) * 1000))
redis.call('HSET', KEYS[3], ARGV[4], text(ends))
return {ends, tostring(now)}
"""
)
# ARGV: holder, number, where the next window may begin.
RELEASE = """
if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
return 1
"""
PARTS = ("holders", "leases", "ends", "facts")


class RedisWorkerIdLease(WorkerIdLease):
    """A lease that Redis keeps."""

    def __init__(self, ids: RedisWorkerIds, holder: str, number: int, token: int) -> None:
        super().__init__(number, ids.bits, token)
        self._ids = ids
        self._holder = holder

    @override
    async def renew(self, used: int) -> None:
        asked = elapsed()
        answer = await self._ids.renew(self._holder, self.number, used, self.ends, self.token)
        if answer[0] == -1:
            raise self._lost()
        self._covers(float(answer[1]), asked, self.opens, answer[0])

    @override
    async def release(self, used: int) -> None:
        await self._ids.release(self._holder, self.number, max(self.opens, used + 1))

    def granted(self, asked: float, answer: list[Any]) -> None:
        """Takes over what Redis answered."""
        self._covers(float(answer[4]), asked, answer[2], answer[3])


class RedisWorkerIds(WorkerIds):
    """Worker ids of one installation. The connection belongs to the giver, who closes it."""

    def __init__(
        self, connection: RedisConnection, bits: int = LEAST_BITS, lease_seconds: float = LEASE_SECONDS
    ) -> None:
        super().__init__(bits, lease_seconds)
        self._connection = connection
        self._keys = [connection.key("worker_id", part) for part in PARTS]
        client = connection.client
        self._acquire = client.register_script(ACQUIRE)
        self._renew = client.register_script(RENEW)
        self._release = client.register_script(RELEASE)

    @override
    async def acquire(self) -> WorkerIdLease:
        holder, asked = secrets.token_hex(12), elapsed()
        with self._connection.errors():
            answer = await self._acquire(keys=self._keys, args=[holder, self.bits, self.lease_seconds])
        if answer[0] == -1:
            raise self._none_free()
        if answer[0] == -2:
            raise self._differs(answer[1])
        lease = RedisWorkerIdLease(self, holder, answer[0], int(answer[1]))
        lease.granted(asked, answer)
        return lease

    @override
    async def close(self) -> None:
        """See the base class; the connection is not ours."""

    async def renew(self, holder: str, number: int, used: int, ends: int, token: int) -> list[Any]:
        """For leases: {end of the window, server's time}, or {-1}."""
        args = [holder, self.bits, self.lease_seconds, number, used, ends, token]
        with self._connection.errors():
            answer: list[Any] = await self._renew(keys=self._keys, args=args)
        return answer

    async def release(self, holder: str, number: int, following: int) -> None:
        """For leases."""
        with self._connection.errors():
            await self._release(keys=self._keys, args=[holder, number, following])
