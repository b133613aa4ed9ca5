import asyncio
import io
import wave

from dragoman.audio.decode import DecodeLimits
from dragoman.audio.incoming import ContainerAudio


def test_a_container_that_lasts_too_long_is_cut_and_the_client_is_told() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(16_000)
        recording.writeframes(bytes(3 * 32_000))
    pcm = bytearray()
    told: list[str] = []

    async def decode() -> None:
        audio = ContainerAudio(
            None, pcm.extend, lambda notice: told.append(notice.message), DecodeLimits(max_audio_s=1.0)
        )
        await audio.feed(file.getvalue())
        await audio.end()
        await audio.close()

    asyncio.run(decode())
    assert len(pcm) == 32_000
    assert len(told) == 1
    assert "1" in told[0]
