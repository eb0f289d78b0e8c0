"""Random asyncio programs on a virtual clock, and what each of their tasks logged.

usage: programs.py SEED COUNT

One program is a line of words in parentheses, followed by the lines of its log: task, time, event. The loop breaks ties as
corio does: equal deadlines in the order of their arming, the children of a group in the order of their creation.
"""
import asyncio, itertools, logging, random, selectors, sys

logging.disable(logging.CRITICAL)


class Selector(selectors.SelectSelector):
    def select(self, timeout=None):
        events = super().select(0)
        if not events and timeout:
            self.loop.now += timeout
        return events


class Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.now = 0.0
        selector = Selector()
        selector.loop = self
        super().__init__(selector)
        self.set_exception_handler(lambda loop, context: None)

    def time(self):
        return self.now


numbers = itertools.count()


def make_ordered(handle_class):
    plain = handle_class.__init__

    def init(self, *args, **kwargs):
        plain(self, *args, **kwargs)
        self._number = next(numbers)

    handle_class.__init__ = init
    handle_class.__lt__ = lambda a, b: (a._when, a._number) < (b._when, b._number)


class OrderedTimer(asyncio.TimerHandle):
    __slots__ = ("_number",)


make_ordered(OrderedTimer)
asyncio.base_events.events.TimerHandle = OrderedTimer


class OrderedSet(dict):
    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)


class World:
    def __init__(self, loop):
        self.loop, self.logs, self.tasks, self.counts = loop, {}, [], {}
        # The program does something that corio does otherwise on purpose.
        self.different = False
        self.swallows = 0

    def log(self, *words):
        name = asyncio.current_task().get_name()
        self.note(name, *words)

    def note(self, name, *words):
        self.logs.setdefault(name, []).append((self.loop.time(), " ".join(str(word) for word in words)))

    def create(self, op, make=asyncio.create_task):
        parent = asyncio.current_task().get_name()
        self.counts[parent] = self.counts.get(parent, 0) + 1
        name = f"{parent}.{self.counts[parent]}"
        task = make(self.whole(op), name=name)
        self.tasks.append(task)
        task.add_done_callback(lambda task: self.note(name, "done", ending(task)))
        return task

    async def alone(self, wait):
        """A wait that was not cancelled itself may still find its task cancelled: that is no request here."""
        me = asyncio.current_task()
        before, asked = me.cancelling(), me._must_cancel
        try:
            return await wait
        except asyncio.CancelledError:
            if asked or me.cancelling() != before:
                raise
            self.log("child cancelled")

    async def whole(self, op):
        try:
            await self.run(op)
        except Exception:
            # Asked, and not told: here it ends cancelled, with a value as with an error.
            self.different |= asyncio.current_task()._must_cancel
            raise

    async def run(self, op):
        await getattr(self, "do_" + op[0])(*op[1:])

    async def do_sleep(self, time):
        await asyncio.sleep(time)
        self.log("slept", time)

    async def do_seq(self, *ops):
        for op in ops:
            await self.run(op)

    async def do_fail(self, name):
        self.log("fails", name)
        raise ValueError(name)

    async def do_catch(self, work, cleanup):
        try:
            await self.run(work)
        except asyncio.CancelledError:
            self.log("caught")
            await self.run(cleanup)
            self.log("propagates")
            raise

    async def do_swallow(self, work):
        try:
            await self.run(work)
        except asyncio.CancelledError:
            self.swallows += 1
            self.log("swallows", asyncio.current_task().uncancel())

    async def do_finally(self, work, cleanup):
        after = "value"
        try:
            await self.run(work)
        except asyncio.CancelledError:
            after = "cancel"
            raise
        finally:
            self.log("cleanup after", after)
            try:
                await self.run(cleanup)
            except asyncio.CancelledError:
                if after == "value":
                    self.different = True
                raise
            self.log("cleaned up")

    async def do_timeout(self, time, work):
        me, scope = asyncio.current_task(), asyncio.timeout(time)
        asked, swallows = me._must_cancel, self.swallows
        try:
            try:
                async with scope:
                    await self.run(work)
            finally:
                # `uncancel` for the deadline's own request takes back one that came from outside.
                self.different |= scope.expired() and self.swallows != swallows
            self.log("in time")
        except TimeoutError:
            # A request from before the block has become a timeout.
            self.different |= asked
            self.log("timed out")

    async def do_waitfor(self, time, work):
        if time > 0:
            return await self.do_timeout(time, work)
        try:
            await asyncio.wait_for(self.run(work), time)
            self.log("in time")
        except TimeoutError:
            self.log("timed out")

    async def do_await(self, work):
        await self.alone(self.create(work))
        self.log("awaited")

    async def do_spawn(self, work):
        self.create(work)

    async def do_shield(self, work):
        await self.alone(asyncio.shield(self.create(work)))
        self.log("shielded")

    async def do_gather(self, *works):
        me = asyncio.current_task()
        before = me.cancelling()
        tasks = [self.create(work) for work in works]
        try:
            await self.alone(asyncio.gather(*tasks))
        except BaseException as error:
            # Here a cancelled gather waits for all, and a failure does not make it forget the request.
            patient = isinstance(error, asyncio.CancelledError) and all(task.done() for task in tasks)
            self.different |= me.cancelling() != before and not patient
            raise
        self.log("gathered")

    async def do_wait(self, time, when, *works):
        tasks = [self.create(work) for work in works]
        done, pending = await asyncio.wait(
            tasks, timeout=time, return_when=asyncio.FIRST_COMPLETED if when == "first" else asyncio.ALL_COMPLETED
        )
        self.log("waited", len(done), len(pending))

    async def do_group(self, body, *works):
        try:
            await self.do_regroup(body, *works)
        except BaseExceptionGroup as error:
            self.log("group", show(error))

    async def do_regroup(self, body, *works):
        """The failure goes on."""
        group, swallows = asyncio.TaskGroup(), self.swallows
        group._tasks = OrderedSet()
        try:
            async with group:
                for work in works:
                    self.create(work, group.create_task)
                await self.run(body)
        except BaseExceptionGroup:
            # The counter makes a request of one that was swallowed.
            self.different |= self.swallows > 0 and asyncio.current_task().cancelling() > 0
            raise
        finally:
            self.different |= group._parent_cancel_requested and self.swallows != swallows
        self.log("group ok")

    async def do_cancel(self, number):
        task = self.tasks[number % len(self.tasks)]
        self.log("cancels", task.get_name(), task.cancel())

    async def do_counter(self):
        self.log("cancelling", asyncio.current_task().cancelling())


def show(error):
    if isinstance(error, BaseExceptionGroup):
        return "[" + " ".join(show(inner) for inner in error.exceptions) + "]"
    return str(error)


def ending(task):
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return "ok" if error is None else "error " + show(error)


def times(rng):
    return rng.choice([0, 0, 1, 1, 2, 2, 3, 4, 5, 7])


def generate(rng, depth):
    leaf = rng.random() < (0.25 if depth > 0 else 1)
    if leaf:
        kind = rng.choices(["sleep", "fail", "cancel", "counter", "long"], [10, 1, 4, 1, 2])[0]
        if kind == "sleep":
            return ["sleep", times(rng)]
        if kind == "long":
            return ["sleep", 50]
        if kind == "fail":
            return ["fail", rng.choice("ABCD")]
        return ["counter"] if kind == "counter" else ["cancel", rng.randrange(12)]
    some = lambda low, high: [generate(rng, depth - 1) for _ in range(rng.randint(low, high))]
    one = lambda: generate(rng, depth - 1)
    kind = rng.choices(
        "seq catch swallow finally timeout waitfor await spawn shield gather wait group regroup".split(),
        [6, 2, 1, 3, 3, 2, 3, 3, 1, 2, 1, 4, 2],
    )[0]
    if kind == "seq":
        return ["seq", *some(2, 4)]
    if kind in ("catch", "finally"):
        return [kind, one(), cleanup(rng)]
    if kind in ("swallow", "await", "spawn", "shield"):
        return [kind, one()]
    if kind in ("timeout", "waitfor"):
        return [kind, times(rng), one()]
    if kind == "gather":
        return ["gather", *some(1, 3)]
    if kind == "wait":
        return ["wait", times(rng) + 1, rng.choice(["first", "all"]), *some(1, 3)]
    return [kind, one(), *some(0, 3)]


def cleanup(rng):
    return rng.choice([["seq"], ["sleep", 0], ["sleep", 1], ["sleep", 2], ["await", ["sleep", 1]]])


def text(op):
    return "(" + " ".join(text(word) if isinstance(word, list) else str(word) for word in op) + ")"


def play(op):
    loop = Loop()
    world = World(loop)

    async def main():
        task = asyncio.current_task()
        task.set_name("main")
        task = asyncio.create_task(world.whole(op), name="0")
        world.tasks.append(task)
        task.add_done_callback(lambda task: world.note("0", "done", ending(task)))
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
        await asyncio.sleep(0)

    try:
        loop.run_until_complete(asyncio.wait_for(main(), 10_000))
    finally:
        loop.close()
    return None if world.different else world.logs


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    while count:
        op = generate(rng, rng.choice([2, 3, 4, 4, 5]))
        try:
            logs = play(op)
        except RecursionError:
            continue
        size = sum(map(len, (logs or {}).values()))
        if logs is None or size < 4 or size > 60:
            continue
        count -= 1
        print(text(op))
        for name in sorted(logs):
            for time, event in logs[name]:
                print(f"  {name} {time:g} {event}")


main()
